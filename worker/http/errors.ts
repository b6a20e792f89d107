/**
 * A failure that a client is told about. Thrown by verbs, rendered once a service by its `faults.ts`.
 * `type` is the name that the service's clients know (Neutron's `PortNotFound`), where there is one.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    options: { type?: string; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ApiError';
    this.status = status;
    this.type = options.type ?? 'HttpException';
    this.headers = options.headers ?? {};
  }
}

export const badRequest = (message: string, type?: string) => new ApiError(400, message, type ? { type } : {});
export const unauthorized = (message = 'The request you have made requires authentication.') =>
  new ApiError(401, message);
export const forbidden = (message: string, type?: string) => new ApiError(403, message, type ? { type } : {});
export const notFound = (message: string, type?: string) => new ApiError(404, message, type ? { type } : {});
export const conflict = (message: string, type?: string) => new ApiError(409, message, type ? { type } : {});
export const tooLarge = (message: string) => new ApiError(413, message);
export const serviceUnavailable = (message: string, retryAfterS: number) =>
  new ApiError(503, message, { headers: { 'retry-after': String(retryAfterS) } });
