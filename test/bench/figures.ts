/** Prints a figure as `name value unit`. */
export function figure(name: string, value: number, unit: string): void {
  console.log(name, Number(value.toPrecision(4)), unit);
}

/** What belongs to a figure but is none. */
export function note(text: string): void {
  console.error(`# ${text}`);
}

/** The value below which a share of the values lies. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
