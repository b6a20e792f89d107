const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How far ahead of ours a machine's clock may be; what it says from beyond is refused. */
export const AHEAD_MAX_MS = 5 * MINUTE_MS;
/** What is older than this comes from no outage that we wait for. */
export const BEHIND_MAX_MS = 35 * DAY_MS;
/** After its end an hour waits this long for samples that are on their way. */
export const SEAL_GRACE_MS = 2 * MINUTE_MS;
/** A machine that says nothing for this long has its hours sealed as they are; what it says later raises their revision. */
export const LONG_GONE_MS = DAY_MS;
/** Hours that one round seals, and hours that it thins or closes. */
export const SEALED_PER_ROUND_MAX = 24;
export const KEPT_PER_ROUND_MAX = 6;
/** Before a round that failed, or left something, is followed by another; and before late samples are sealed. */
export const RETRY_MS = 30_000;
/** Rows of windows in one batch to the database. */
export const WINDOWS_PER_BATCH_MAX = 2_000;

/** Points of 10 s are kept for hours, those of a minute for days after their hour last changed. */
export const RAW_KEPT_MS = 3 * HOUR_MS;
export const MINUTES_KEPT_MS = 3 * DAY_MS;
/** A counter that says nothing for this long is forgotten; longer than any outage whose samples are taken. */
export const SERIES_KEPT_MS = 100 * DAY_MS;
/** Counters that one machine may have at a time, with those of guests that are gone. */
export const SERIES_MAX = 400_000;
/** Spools of one machine that are told apart, and gaps in what came of one. */
export const SPOOLS_MAX = 16;
export const SPOOL_RANGES_MAX = 1_000;
/** Different refusals of one machine that are listed; more are counted together. */
export const REFUSALS_MAX = 1_000;

/** Whose a resource is, is asked again this often. One that was not the machine's is asked about again after the shorter. */
export const OWNER_CHECK_MS = 5 * MINUTE_MS;
export const STRANGER_CHECK_MS = 30_000;
/** What was sampled until this long after a resource left a machine still counts: the two clocks differ. */
export const LEFT_GRACE_MS = MINUTE_MS;
/** A resource that is older than a machine's metering by this, and there when it begins, was there before it. */
export const ADOPTED_BEFORE_MS = HOUR_MS;
export const ADOPTED_WITHIN_MS = 10 * MINUTE_MS;

/** A gauge is taken to stand as it was read for at most this long before. */
export const GAUGE_SPEAKS_MS = MINUTE_MS;
export const GAUGE_MAX = 2 ** 50;

/** 512 processors, each with a nanosecond to a nanosecond. */
const CPU_NS_PER_MS_MAX = 512 * 1_000_000;
/** A line of 800 Gbit/s: no port, and no disk, carries more. */
const LINE_BYTES_PER_MS_MAX = 100_000_000;
/** The smallest packets that such a line carries. */
const LINE_PACKETS_PER_MS_MAX = 1_200_000;
const DISK_REQUESTS_PER_MS_MAX = 20_000;

/** How much a counter can rise in a millisecond. What rises more is no count. */
export function risePerMsMax(unit: 'ns' | 'bytes' | 'packets' | 'requests'): number {
  return {
    ns: CPU_NS_PER_MS_MAX,
    bytes: LINE_BYTES_PER_MS_MAX,
    packets: LINE_PACKETS_PER_MS_MAX,
    requests: DISK_REQUESTS_PER_MS_MAX,
  }[unit];
}

/** Points that one answer about a resource has, of all its machines. */
export const MEASURES_MAX = 20_000;

/** Streams of live figures of one machine at once, and of these of one project; resources that one stream is of. */
export const LIVE_STREAMS_MAX = 200;
export const LIVE_STREAMS_PROJECT_MAX = 50;
export const LIVE_RESOURCES_MAX = 20;
/** A stream that has nothing to tell says so this often: what lies between would take it for dead, and so finds out if it is. */
export const LIVE_KEEP_ALIVE_MS = 15_000;
/** One with a resource that was not heard of for this long ends: it may be on another machine by now. */
export const LIVE_SILENT_MS = MINUTE_MS;
/** A stream ends after this, or with its token, and its reader, who goes on where it was, is looked at anew. */
export const LIVE_MS_MAX = 10 * MINUTE_MS;
/** How long a reader waits before it comes back. */
export const LIVE_RETRY_MS = 3_000;
