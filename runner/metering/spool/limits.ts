/** What the spool may take of the disk; beyond it the oldest samples are thinned. */
export const SPOOL_BYTES_MAX = 512 * 1024 * 1024;
/** The same of one that has no file. */
export const SPOOL_MEMORY_BYTES_MAX = 32 * 1024 * 1024;
/** It is thinned down to this share, so that it is not thinned again at once. */
export const SPOOL_THINNED_TO = 0.9;
/** How old samples may grow that no edge has taken; older ones end in the next that is not. */
export const SPOOL_DAYS_MAX = 35;
/** Text of the samples of one batch; a moment with more is several batches. A poll's body takes one with room to spare. */
export const BATCH_LENGTH_MAX = 256 * 1024;
/** Text of the batches of one message. */
export const METERED_LENGTH_MAX = 512 * 1024;
