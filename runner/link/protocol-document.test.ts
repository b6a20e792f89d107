import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as limits from '../../shared/limits.ts';
import { edgeMessage, helloText, observation, rotateText, runnerMessage } from '../../shared/protocol/messages.ts';
import { KINDS } from '../../shared/specs/kinds.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8');

/** The part of the document under a heading, up to the next one of the same depth or above. */
function section(heading: string): string {
  const at = text.indexOf(`\n${heading}\n`);
  if (at < 0) return '';
  const rest = text.slice(at + heading.length + 2);
  const end = rest.search(/\n##+ /);
  return end < 0 ? rest : rest.slice(0, end);
}

const messages = [...edgeMessage.options, ...runnerMessage.options].map(({ shape }) => ({
  type: String(shape.type.value),
  members: Object.keys(shape).filter((member) => member !== 'type'),
}));

describe('docs/protocol.md', () => {
  it.each(messages)('documents the message $type with all its members', ({ type, members }) => {
    const about = section(`### \`${type}\``);
    expect(about, `a section on ${type}`).not.toBe('');
    for (const member of members) expect(about, `${type}.${member}`).toContain(`\`${member}\``);
  });

  it('documents no message that is not there', () => {
    const named = [...text.matchAll(/^### `([a-z-]+)`$/gm)].map((match) => match[1]);
    expect(named.sort()).toEqual(messages.map(({ type }) => type).sort());
  });

  it('documents every kind, every state of an observation, and what is signed', () => {
    for (const kind of KINDS) expect(section('## Desired state')).toContain(`\`${kind}\``);
    for (const state of observation.shape.state.options) expect(section('## Observations')).toContain(`\`${state}\``);
    const hello = { nonce: '<nonce>', runner_id: '<runner_id>', machine_id: '<machine_id>', boot_id: '<boot_id>' };
    expect(text).toContain(helloText(hello));
    expect(text).toContain(rotateText({ ...hello, public_key: '<public_key>' }));
  });

  it('states the limits as they are', () => {
    expect(limits).toMatchObject({
      MESSAGE_BYTES_MAX: 4 * 1024 * 1024,
      OBJECTS_PER_MESSAGE_MAX: 500,
      HELLO_TIMEOUT_S: 20,
      POLL_HOLD_S: 25,
      HEARTBEAT_S: 15,
      LEASE_S: 50,
      RECONNECT_MIN_MS: 1_000,
      RECONNECT_MAX_MS: 60_000,
      RECONNECT_HEALTHY_MS: 60_000,
    });
  });
});
