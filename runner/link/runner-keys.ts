import { helloText, type RunnerMessageOf, rotateText } from '../../shared/protocol/messages.ts';
import type { Identity } from '../state/identity.ts';
import { newKey, publicKeyOf, signText } from '../state/keys.ts';

/** The runner's key, and the new one while the edge may or may not have taken it. */
export class RunnerKeys {
  #identity: Identity;
  readonly #save: (identity: Identity) => void;
  /** Whether the new key signs: tried when the old one is refused. */
  #useNext = false;
  #rotatedSeq: number | null = null;

  constructor(identity: Identity, save: (identity: Identity) => void) {
    this.#identity = identity;
    this.#save = save;
  }

  signHello(hello: Parameters<typeof helloText>[0]): string {
    const { private_key, next_private_key } = this.#identity;
    return signText(this.#useNext && next_private_key ? next_private_key : private_key, helloText(hello));
  }

  /** The edge took the key that signed the hello: the other one is of no more use. */
  welcomed(): void {
    this.#rotatedSeq = null;
    if (this.#identity.next_private_key === undefined) return;
    if (this.#useNext) this.#promote();
    else this.#keep({ ...this.#identity, next_private_key: undefined });
    this.#useNext = false;
  }

  /** The edge refused the signature. @returns whether there is another key to try */
  refused(): boolean {
    if (this.#identity.next_private_key === undefined) return false;
    this.#useNext = !this.#useNext;
    return this.#useNext;
  }

  /** Makes a new key, on the disk before the edge hears of it. */
  rotate(nonce: string): RunnerMessageOf<'rotated'> {
    const next = this.#identity.next_private_key ?? newKey();
    this.#keep({ ...this.#identity, next_private_key: next });
    const public_key = publicKeyOf(next);
    const text = rotateText({ nonce, runner_id: this.#identity.runner_id, public_key });
    return { type: 'rotated', public_key, signature: signText(this.#identity.private_key, text) };
  }

  /** The frame in which the new key was sent. */
  rotationSent(seq: number | null): void {
    this.#rotatedSeq = seq;
  }

  /** The edge has taken everything up to this frame: the new key too, if it is among it. */
  acked(seq: number): void {
    if (this.#rotatedSeq === null || seq < this.#rotatedSeq) return;
    this.#rotatedSeq = null;
    this.#promote();
  }

  #promote(): void {
    const { next_private_key: next } = this.#identity;
    if (next) this.#keep({ ...this.#identity, private_key: next, next_private_key: undefined });
  }

  #keep(identity: Identity & { next_private_key?: string | undefined }): void {
    const { next_private_key: next, ...rest } = identity;
    this.#identity = next === undefined ? rest : { ...rest, next_private_key: next };
    this.#save(this.#identity);
  }
}
