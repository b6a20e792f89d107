/** An error as Hrana carries it; `code` is what becomes `LibsqlError.code` at the client. */
export class HranaError extends Error {
  readonly code: string;
  readonly extendedCode: string | undefined;

  constructor(message: string, code: string, extendedCode?: string) {
    super(message);
    this.name = 'HranaError';
    this.code = code;
    this.extendedCode = extendedCode;
  }

  /** The JSON text of Hrana's Error; clients that know only message and code ignore the rest. */
  toJsonText(): string {
    return JSON.stringify({ message: this.message, code: this.code, extended_code: this.extendedCode });
  }
}

/** An error that ends the whole HTTP request, and with it the stream. */
export class RequestError extends Error {
  readonly status: number;
  readonly error: HranaError;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.error = new HranaError(message, code);
  }
}

/** Any thrown value as a HranaError: SQLite's own message kept whole, its code cut to the primary one as Turso does. */
export function toHranaError(thrown: unknown): HranaError {
  if (thrown instanceof HranaError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!code.startsWith('SQLITE_') && !code.startsWith('UNKNOWN_SQLITE_')) {
    return new HranaError(error.message, 'SERVER_ERROR');
  }
  const rawCode = 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : 0;
  const primary = PRIMARY_CODES.get(rawCode & 0xff) ?? 'SQLITE_UNKNOWN';
  return new HranaError(`SQLite error: ${error.message}`, primary, code === primary ? undefined : code);
}

const PRIMARY_CODES = new Map<number, string>([
  [1, 'SQLITE_ERROR'],
  [2, 'SQLITE_INTERNAL'],
  [3, 'SQLITE_PERM'],
  [4, 'SQLITE_ABORT'],
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [7, 'SQLITE_NOMEM'],
  [8, 'SQLITE_READONLY'],
  [9, 'SQLITE_INTERRUPT'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [12, 'SQLITE_NOTFOUND'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [15, 'SQLITE_PROTOCOL'],
  [17, 'SQLITE_SCHEMA'],
  [18, 'SQLITE_TOOBIG'],
  [19, 'SQLITE_CONSTRAINT'],
  [20, 'SQLITE_MISMATCH'],
  [21, 'SQLITE_MISUSE'],
  [22, 'SQLITE_NOLFS'],
  [23, 'SQLITE_AUTH'],
  [25, 'SQLITE_RANGE'],
  [26, 'SQLITE_NOTADB'],
]);
