/** Limits and rhythms that the edge and the runners must agree on. Units last in every name. */

/** Protocol versions this build speaks, lowest and highest. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;

/** A runner sends a heartbeat this often; a poke lost between commit and wake is found within one. */
export const HEARTBEAT_S = 15;
/** A runner unheard for this long is down for new placements. Three beats and a margin. */
export const LEASE_S = 50;

/** The largest message of the link, either way. Cloudflare takes 32 MiB; ours stay far below. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** Objects of desired state in one message; more follow in further messages, the last marked complete. */
export const OBJECTS_PER_MESSAGE_MAX = 500;
/** Resources that one machine measures at one moment, and moments in one message. */
export const SAMPLES_PER_BATCH_MAX = 10_000;
export const SAMPLE_BATCHES_PER_MESSAGE_MAX = 360;
/** Time a client may take between the challenge and its hello. */
export const HELLO_TIMEOUT_S = 20;
/** How long the edge holds a long poll open before it answers with nothing. */
export const POLL_HOLD_S = 25;

export const RECONNECT_MIN_MS = 1_000;
export const RECONNECT_MAX_MS = 60_000;
/** A session healthy for this long resets the reconnect window. */
export const RECONNECT_HEALTHY_MS = 60_000;

/** Bytes of console that a runner keeps for a guest, and returns at most. */
export const CONSOLE_BYTES_MAX = 1024 * 1024;
export const USER_DATA_BASE64_BYTES_MAX = 65_535;
/** Files that one server may be given beside its user data, whatever its quota. */
export const INJECTED_FILES_MAX = 64;
/** Characters of a tag by which a guest knows one of its devices. */
export const DEVICE_TAG_CHARS_MAX = 60;

/** Where other machines reach one for a move: what its firewall must let in from them, and all that the edge has one dial. */
export const MOVE_PORT_MIN = 49_152;
export const MOVE_PORT_MAX = 49_407;

/** Rules that one security group may have; hosts are sent a group whole. */
export const RULES_PER_GROUP_MAX = 1_000;
