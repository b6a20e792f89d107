const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Endpoints of one project, and of a region's operator. */
export const PROJECT_ENDPOINTS_MAX = 10;
export const REGION_ENDPOINTS_MAX = 20;
export const FILTERS_MAX = 50;
export const URL_LENGTH_MAX = 2048;
export const DESCRIPTION_LENGTH_MAX = 255;
/** Tests of one endpoint that wait to be sent: no more are told meanwhile. */
export const TESTS_WAITING_MAX = 10;
/** Secrets that one endpoint's deliveries are signed with at once. */
export const SECRETS_MAX = 3;
/** How long the secret before goes on signing, where a rotation does not say; and the longest that one may say. */
export const SECRET_OVERLAP_S = 24 * 3600;
export const SECRET_OVERLAP_S_MAX = 7 * 24 * 3600;

/** What lies between one attempt and the next. After the last the delivery is given up. */
export const RETRY_DELAYS_MS = [
  ...[0, 5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS],
  ...[2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 14 * HOUR_MS, 20 * HOUR_MS, 24 * HOUR_MS],
];
/** Each delay is longer by up to this share of itself, by chance. */
export const JITTER = 0.1;
/** The longest rest that an answer may ask for, and the least after one that says that it has too much to do. */
export const RETRY_AFTER_MS_MAX = DAY_MS;
export const THROTTLE_MS = 10 * SECOND_MS;
/** One that takes something again after failing this long was away: all that waits for it is sent at once, so many. */
export const AWAY_MS = 30 * MINUTE_MS;
export const RETURNED_MAX = 5_000;
/** An endpoint that nothing reached for this long is disabled at the next failure. */
export const FAILING_MS_MAX = 5 * DAY_MS;

/** How long a receiver may take to answer. */
export const ATTEMPT_TIMEOUT_MS = 20 * SECOND_MS;
/** Of an answer this much is read and kept, and of a failure's description. */
export const ANSWER_BYTES_MAX = 1024;
export const ERROR_LENGTH_MAX = 300;
/** Deliveries of one endpoint that are under way at once, and taken in one go. */
export const AT_ONCE_MAX = 4;
export const CLAIMED_MAX = 20;
/** After this another may send what was claimed: longer than all claimed can take. */
export const CLAIM_MS = 3 * MINUTE_MS;
/** A sender that was killed looks again after this, once it is started. */
export const AGAIN_MS = 10 * SECOND_MS;
/** A sender works this long before it lets others of its process in. */
export const SENDING_MS_MAX = MINUTE_MS;
/** Endpoints that one commit, or one round of a region, wakes. */
export const WAKES_MAX = 100;

/** Deliveries that are over are kept this long, and events: never less than a delivery can take. */
export const DELIVERIES_KEEP_MS = 14 * DAY_MS;
export const EVENTS_KEEP_MS = 30 * DAY_MS;
/** Rows that one batch clears away of each kind, and batches of one round of a region: others write between them. */
export const CLEARED_MAX = 1_000;
export const CLEARING_BATCHES_MAX = 10;
/** Events that one call sends again. */
export const REPLAYED_MAX = 1_000;
