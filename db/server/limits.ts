/** Every bound the server keeps, in one place. A limit reached is an error to the one who reached it, never a loss. */
export interface Limits {
  bodyBytesMax: number;
  requestsPerPipelineMax: number;
  statementsPerRequestMax: number;
  statementTextBytesMax: number;
  argumentsPerStatementMax: number;
  conditionDepthMax: number;
  rowsPerResultMax: number;
  resultBytesMax: number;
  storedSqlPerStreamMax: number;
  openStreamsMax: number;
  concurrentRequestsMax: number;
  connectionsMax: number;
  cachedStatementsMax: number;
  cachedStatementBytesMax: number;
  readTransactionsMax: number;
  groupBatchesMax: number;
  groupMsMax: number;
  transactionMsMax: number;
  streamIdleMsMax: number;
  writerWaitMsMax: number;
  shutdownMsMax: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: Readonly<Limits> = {
  bodyBytesMax: 16 * MIB,
  // The client stores each text of a batch before the batch itself, so this stays above its cache of 30.
  requestsPerPipelineMax: 1_024,
  statementsPerRequestMax: 8_192,
  statementTextBytesMax: MIB,
  // SQLITE_MAX_VARIABLE_NUMBER of the engine.
  argumentsPerStatementMax: 32_766,
  conditionDepthMax: 16,
  rowsPerResultMax: 50_000,
  resultBytesMax: 32 * MIB,
  storedSqlPerStreamMax: 256,
  openStreamsMax: 256,
  concurrentRequestsMax: 1_024,
  connectionsMax: 4_096,
  cachedStatementsMax: 512,
  // A longer text is parsed anew each time: it is a migration, or built for one use.
  cachedStatementBytesMax: 64 * KIB,
  readTransactionsMax: 8,
  groupBatchesMax: 128,
  // How long one group may keep the event loop before it commits what it has.
  groupMsMax: 10,
  // Turso cuts a transaction at 5 s and a stream at 10 s: what works here works there.
  transactionMsMax: 5_000,
  streamIdleMsMax: 10_000,
  writerWaitMsMax: 15_000,
  shutdownMsMax: 10_000,
};

/** How long SQLite itself waits for a lock, which only a tool beside this process can hold. */
export const BUSY_TIMEOUT_MS = 2_000;

/** The WAL is folded back into the file about every 4 MiB, and cut to this size after a burst. */
export const WAL_AUTOCHECKPOINT_PAGES = 1_000;
export const WAL_SIZE_BYTES_MAX = 64 * MIB;

/** How many ended streams are remembered, to say why their baton no longer works. */
export const ENDED_STREAMS_REMEMBERED_MAX = 1_024;
