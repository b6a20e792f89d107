import { expect, test } from 'vitest';
import {
  CLOSE,
  execute,
  type HranaResponse,
  openClient,
  openServer,
  pipeline,
  requestsRead,
  TOKEN,
  until,
} from './test-support.ts';

const BEGIN = execute('BEGIN IMMEDIATE');

async function answers(ask: () => Promise<HranaResponse>, code: string): Promise<HranaResponse> {
  const response = await ask();
  expect([response.status, response.code]).toStrictEqual([400, code]);
  return response;
}

test('a baton works once, and each answer has a new one', async () => {
  const { url } = await openServer();
  const first = await pipeline(url, [BEGIN]);
  const second = await pipeline(url, [{ type: 'get_autocommit' }], first.baton);
  expect(second.results[0]?.response.is_autocommit).toBe(false);
  expect(second.baton).not.toBe(first.baton);
  await answers(() => pipeline(url, [CLOSE], first.baton), 'BATON_INVALID');
  const closed = await pipeline(url, [CLOSE], second.baton);
  expect(closed.baton).toBeNull();
  await answers(() => pipeline(url, [CLOSE], second.baton), 'STREAM_EXPIRED');
  await answers(() => pipeline(url, [CLOSE], 'made.up'), 'STREAM_EXPIRED');
  await answers(() => pipeline(url, [CLOSE], ''), 'STREAM_EXPIRED');
});

test('a transaction open too long is rolled back, its stream ended, its writer free', async () => {
  const { url } = await openServer({ transactionMsMax: 50 });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await client.execute('INSERT INTO t VALUES (2)');
  await expect(transaction.execute('SELECT 1')).rejects.toMatchObject({
    code: 'TRANSACTION_TIMEOUT',
    message: expect.stringContaining('it was open for 50 ms and has been rolled back'),
  });
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
  expect((await client.execute('SELECT a FROM t')).rows).toMatchObject([{ a: 2 }]);
});

test('activity does not prolong a transaction', async () => {
  const { url } = await openServer({ transactionMsMax: 50 });
  let response = await pipeline(url, [BEGIN]);
  await until(async () => {
    response = await pipeline(url, [execute('SELECT 1')], response.baton);
    return response.status !== 200;
  });
  expect(response.code).toBe('TRANSACTION_TIMEOUT');
});

test('only so many read transactions may be open', async () => {
  const client = openClient((await openServer({ readTransactionsMax: 1 })).url);
  const first = await client.transaction('read');
  await first.execute('SELECT 1');
  const second = await client.transaction('read');
  await expect(second.execute('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_BUSY' });
  await first.commit();
  const third = await client.transaction('read');
  expect((await third.execute('SELECT 1 AS a')).rows).toMatchObject([{ a: 1 }]);
});

test('a read transaction open too long is cut as well', async () => {
  const { url } = await openServer({ transactionMsMax: 50, readTransactionsMax: 1 });
  const client = openClient(url);
  const first = await client.transaction('read');
  await first.execute('SELECT 1');
  await until(async () => {
    const another = await client.transaction('read');
    return another.execute('SELECT 1').then(
      () => true,
      () => false,
    );
  });
  await expect(first.execute('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_TIMEOUT' });
});

test('a stream left idle expires', async () => {
  const { url } = await openServer({ streamIdleMsMax: 50, openStreamsMax: 1 });
  const idle = await pipeline(url, [execute('SELECT 1')]);
  expect(idle.baton).not.toBeNull();
  let next: HranaResponse | undefined;
  await until(async () => {
    next = await pipeline(url, [execute('SELECT 1')]);
    return next.status === 200;
  });
  const response = await answers(() => pipeline(url, [CLOSE], idle.baton), 'STREAM_EXPIRED');
  expect(response.message).toContain('after 50 ms without a request');
});

test('who waits too long for the writer is told so, and nothing of theirs is done', async () => {
  const { url } = await openServer({ writerWaitMsMax: 10, transactionMsMax: 60_000 });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const holder = await pipeline(url, [BEGIN]);
  const refused = expect(client.execute('INSERT INTO t VALUES (1)')).rejects.toMatchObject({
    code: 'SQLITE_BUSY',
    message: expect.stringContaining('database is locked: waited'),
  });
  await requestsRead(url);
  const readMs = performance.now();
  await until(() => performance.now() - readMs > 20);
  await pipeline(url, [CLOSE], holder.baton);
  await refused;
  await client.execute('INSERT INTO t VALUES (2)');
  expect((await client.execute('SELECT a FROM t')).rows).toMatchObject([{ a: 2 }]);
});

test('a client that leaves while it waits for the writer does not get to hold it', async () => {
  const { url } = await openServer({ transactionMsMax: 60_000 });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const holder = await pipeline(url, [BEGIN]);
  const leaving = new AbortController();
  const abandoned = fetch(`${url}/v2/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ requests: [BEGIN, execute('INSERT INTO t VALUES (1)')] }),
    signal: leaving.signal,
  });
  await requestsRead(url);
  leaving.abort();
  await expect(abandoned).rejects.toThrow('aborted');
  // By the second answer after it, the server has seen the connection close.
  for (let i = 0; i < 2; i++) await pipeline(url, [execute('SELECT 1'), CLOSE]);
  await pipeline(url, [CLOSE], holder.baton);
  await client.execute('INSERT INTO t VALUES (2)');
  expect((await client.execute('SELECT a FROM t')).rows).toMatchObject([{ a: 2 }]);
});

test('a request refused on a stream with a transaction gives the writer back', async () => {
  const { url } = await openServer({ transactionMsMax: 60_000, statementsPerRequestMax: 2 });
  const { baton } = await pipeline(url, [BEGIN]);
  const tooMany = Array.from({ length: 3 }, () => execute('SELECT 1'));
  expect((await pipeline(url, tooMany, baton)).status).toBe(413);
  await openClient(url).execute('CREATE TABLE t (a)');
  await answers(() => pipeline(url, [CLOSE], baton), 'STREAM_EXPIRED');
});
