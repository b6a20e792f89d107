/** Has a guest count on its console, a number at a time, as fast as it can without filling it. */
export const COUNT = '(i=0; while :; do i=$((i+1)); echo "count $i" >/dev/ttyS0; usleep 50000; done) >/dev/null 2>&1 &';

/** The numbers that a guest has written whole on its consoles, oldest console first. */
export function numbersIn(consoles: readonly string[]): number[] {
  return [...consoles.join('').matchAll(/count (\d+)\r?\n/g)].map((found) => Number(found[1]));
}

/** What is wrong with numbers that should be 1, 2, 3 and so on: those that are lost or come twice. */
export function countingErrors(numbers: readonly number[]): string[] {
  return numbers
    .flatMap((number, index) => (number === index + 1 ? [] : [`${number} in the place of ${index + 1}`]))
    .slice(0, 5);
}
