import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { QmpClient } from './qmp.ts';

/** A monitor whose answers a test decides. */
class FakeMonitor {
  readonly #server: Server;
  readonly sockets: Socket[] = [];
  answer: (command: { execute: string; id: number }, socket: Socket) => void = (command, socket) =>
    socket.write(`${JSON.stringify({ return: { did: command.execute }, id: command.id })}\n`);

  constructor(path: string, greeting = true) {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      if (greeting) socket.write('{"QMP": {"version": {}}}\n');
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().trim().split('\n')) this.answer(JSON.parse(line), socket);
      });
    }).listen(path);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

let folder: string;
let monitors: FakeMonitor[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aeroqmp-'));
});
afterEach(() => {
  for (const monitor of monitors) monitor.close();
  monitors = [];
  rmSync(folder, { recursive: true });
});

function monitor(path = join(folder, 'monitor'), greeting = true): FakeMonitor {
  const made = new FakeMonitor(path, greeting);
  monitors.push(made);
  return made;
}

it('matches answers to commands by id, in whatever order they come', async () => {
  const fake = monitor();
  const client = await QmpClient.connect(join(folder, 'monitor'));
  const held: (() => void)[] = [];
  fake.answer = (command, socket) =>
    held.push(() => socket.write(`${JSON.stringify({ return: command.execute, id: command.id })}\n`));
  const answers = Promise.all([client.execute('one'), client.execute('two')]);
  while (held.length < 2) await new Promise(setImmediate);
  for (const say of held.reverse()) say();
  expect(await answers).toEqual(['one', 'two']);
  client.close();
});

it('tells refusals, silence and a closed monitor apart', async () => {
  const fake = monitor();
  const client = await QmpClient.connect(join(folder, 'monitor'));
  fake.answer = (command, socket) =>
    socket.write(`${JSON.stringify({ error: { class: 'GenericError', desc: 'not now' }, id: command.id })}\n`);
  await expect(client.execute('cont')).rejects.toThrow('cont: not now');
  fake.answer = () => {};
  await expect(client.execute('stop', {}, 20)).rejects.toThrow('no answer within 20 ms');
  const pending = client.execute('quit');
  fake.sockets[0]?.destroy();
  await expect(pending).rejects.toThrow('the monitor was closed');
  await client.closed;
  await expect(client.execute('cont')).rejects.toThrow('the monitor was closed');
});

it('passes events on, between answers', async () => {
  const fake = monitor();
  const client = await QmpClient.connect(join(folder, 'monitor'));
  const heard: string[] = [];
  const stop = client.onEvent((event) => heard.push(`${event.event} ${JSON.stringify(event.data)}`));
  fake.answer = (command, socket) => {
    socket.write('{"event": "SHUTDOWN", "data": {"guest": true}}\n{"event": "STOP"}\n');
    socket.write(`${JSON.stringify({ return: {}, id: command.id })}\n`);
  };
  await client.execute('cont');
  stop();
  await client.execute('cont');
  expect(heard).toEqual(['SHUTDOWN {"guest":true}', 'STOP {}']);
  client.close();
});

it('does not wait for ever for a monitor that somebody else holds', async () => {
  monitor(join(folder, 'monitor'), false);
  await expect(QmpClient.connect(join(folder, 'monitor'), 30)).rejects.toThrow('no greeting within 30 ms');
  await expect(QmpClient.connect(join(folder, 'none'))).rejects.toThrow('ENOENT');
});

it('reaches sockets whose path is longer than the kernel takes', async () => {
  const deep = join(folder, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(deep, { recursive: true });
  // Made as QEMU makes it: by a short name from its own folder.
  const before = process.cwd();
  process.chdir(deep);
  try {
    monitor('monitor');
    const client = await QmpClient.connect(join(deep, 'monitor'));
    expect(await client.execute('query-status')).toEqual({ did: 'query-status' });
    client.close();
  } finally {
    process.chdir(before);
  }
});

it('drops a monitor that talks nonsense', async () => {
  const fake = monitor();
  const client = await QmpClient.connect(join(folder, 'monitor'));
  fake.sockets[0]?.write('hello?\n');
  await client.closed;
});
