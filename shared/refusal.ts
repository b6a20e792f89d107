/** Something that a person can put right: its message is one line that says what is wrong and what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
