const BOOT_CHARACTERS = 12;

/** An epoch of something that is told from all before it, within one boot of the machine, by these numbers. */
export const epochOf = (bootId: string, ...numbers: number[]): string =>
  [bootId.replaceAll('-', '').slice(0, BOOT_CHARACTERS), ...numbers].join('-');
