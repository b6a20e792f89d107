import { cryptoRandom, type Random } from '../../network/ipam/random.ts';

/** Nova's alphabets for passwords: no characters that look alike. */
const PASSWORD_ALPHABETS = ['23456789', 'ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz'];
const PASSWORD_CHARS = 12;
const RESERVATION_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const RESERVATION_CHARS = 8;

const pick = (alphabet: string, random: Random) => alphabet.charAt(random.below(alphabet.length));

/** A password with a character of each kind at least. */
export function generatePassword(random: Random = cryptoRandom): string {
  const all = PASSWORD_ALPHABETS.join('');
  const chars = PASSWORD_ALPHABETS.map((alphabet) => pick(alphabet, random));
  while (chars.length < PASSWORD_CHARS) chars.push(pick(all, random));
  for (let last = chars.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [chars[last], chars[other]] = [chars[other] as string, chars[last] as string];
  }
  return chars.join('');
}

/** The id that servers of one request share. */
export const reservationId = (random: Random = cryptoRandom): string =>
  `r-${Array.from({ length: RESERVATION_CHARS }, () => pick(RESERVATION_ALPHABET, random)).join('')}`;
