import type { Fault } from '../../shared/protocol/messages.ts';
import { DriverError } from '../driver.ts';
import { errorText } from '../log.ts';

/** A server that failed so often is reported and left alone until the edge wants something new of it. */
export const SERVER_ATTEMPTS_MAX = 3;
/** After so many failures, what needs an object stops waiting for it, and a failing removal is reported. */
export const REPORT_AFTER_ATTEMPTS = 3;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 60_000;
const FAULT_MESSAGE_MAX = 1024;
const FAULT_DETAILS_MAX = 8192;

/** Between attempts: doubles, the upper half at random. */
export function retryDelayMs(attempts: number, random: () => number): number {
  const window = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(window * (0.5 + random() / 2));
}

/** An error as the fault that goes to the edge, within the lengths that the protocol allows. */
export function faultOf(error: unknown): Fault {
  const fault = error instanceof DriverError ? error.fault : { code: 500, message: errorText(error) };
  return clipFault(fault);
}

export function clipFault(fault: Fault): Fault {
  const details = fault.details?.slice(0, FAULT_DETAILS_MAX);
  return {
    code: Number.isInteger(fault.code) ? fault.code : 500,
    message: fault.message.slice(0, FAULT_MESSAGE_MAX),
    ...(details ? { details } : {}),
  };
}

/** Whether trying again can help: the driver says no with a 4xx. */
export function isLasting(fault: Fault): boolean {
  return fault.code >= 400 && fault.code < 500;
}
