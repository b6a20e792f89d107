import type { EdgeMessage, RunnerMessage } from '../../shared/protocol/messages.ts';
import type { Connection, Transport, TransportEnd, TransportEvents } from '../link/transport.ts';

/** One connection of a transport that a test plays the edge of. */
export class FakeConnection implements Connection {
  readonly events: TransportEvents;
  readonly sent: { seq: number; epoch: number; body: RunnerMessage }[] = [];
  closed = false;
  #seq = 0;
  #epoch = 0;

  constructor(events: TransportEvents) {
    this.events = events;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as FakeConnection['sent'][number]);
  }

  close(): void {
    this.closed = true;
  }

  say(body: EdgeMessage, ack = 0): void {
    if (body.type === 'welcome') this.#epoch = body.epoch;
    this.#seq += 1;
    const text = { v: 1, session: 's', epoch: this.#epoch, seq: this.#seq, ack, ts_ms: 1, body };
    this.events.frame(JSON.stringify(text));
  }

  challenge(): void {
    this.say({ type: 'challenge', nonce: 'n', session: 's' });
  }

  welcome(epoch = 1): void {
    const token = 'bearer';
    const rest = { session: 's', epoch, protocol: 1, server_time_ms: 1, heartbeat_s: 10, token, generation: 0 };
    this.say({ type: 'welcome', ...rest });
  }

  end(end: TransportEnd): void {
    this.closed = true;
    this.events.closed(end);
  }
}

/** A transport whose connections a test holds in its hands. */
export class FakeTransport implements Transport {
  readonly name: Transport['name'];
  readonly connections: FakeConnection[] = [];

  constructor(name: Transport['name']) {
    this.name = name;
  }

  open(events: TransportEvents): Connection {
    const connection = new FakeConnection(events);
    this.connections.push(connection);
    return connection;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (!last) throw new Error(`no ${this.name} connection was opened`);
    return last;
  }
}
