import { expect, test } from 'vitest';
import { startDatabaseServer } from './start-server.ts';
import { CLOSE, execute, openClient, openServer, pipeline, TOKEN, until } from './test-support.ts';

test('close() rolls open transactions back, answers what waits, and lets go of the file', async () => {
  const server = await openServer({ transactionMsMax: 60_000, streamIdleMsMax: 60_000, concurrentRequestsMax: 2 });
  const client = openClient(server.url);
  await client.execute('CREATE TABLE t (a)');
  const holder = await pipeline(server.url, [execute('BEGIN IMMEDIATE'), execute('INSERT INTO t VALUES (1)')]);
  expect(holder.baton).not.toBeNull();
  const waiting = [
    client.execute('INSERT INTO t VALUES (2)'),
    pipeline(server.url, [execute('BEGIN IMMEDIATE')]),
  ] as const;
  // Once both wait inside, there is room for no third.
  await until(async () => (await pipeline(server.url, [CLOSE])).status === 429);
  const closed = Promise.all([server.close(), server.close()]);
  expect((await waiting[0]).rowsAffected).toBe(1);
  expect((await waiting[1]).baton).toBeNull();
  await closed;

  const again = await startDatabaseServer({ file: server.file, token: TOKEN });
  expect((await openClient(again.url).execute('SELECT a FROM t')).rows).toMatchObject([{ a: 2 }]);
  await again.close();
});

test('a file that is served is refused in the same process too, and the refused leaves it alone', async () => {
  const { file, url } = await openServer();
  await expect(startDatabaseServer({ file, token: TOKEN })).rejects.toThrow('is served by another process');
  await openClient(url).execute('CREATE TABLE t (a)');
});

test('an empty token and an address beyond this host are refused before the file is touched', async () => {
  const file = '/nonexistent/never.db';
  await expect(startDatabaseServer({ file, token: '' })).rejects.toThrow('The token is empty');
  await expect(startDatabaseServer({ file, token: TOKEN, listen: '10.0.0.1:80' })).rejects.toThrow('Cannot listen on');
});
