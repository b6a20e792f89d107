import { SEGMENT_NUMBER } from '../names.ts';
import type { ChainPlan } from './ruleset.ts';

/** The packet does not carry its network's mark: it is a frame between two taps. */
export const IS_BRIDGED = 'meta mark and 0x80000000 == 0';
export const ICMP_ERRORS = 'icmp type { destination-unreachable, time-exceeded, parameter-problem }';
const ICMPV6_ERRORS = 'icmpv6 type { 1, 2, 3, 4 }';
/** From a guest's port to which another one leads. */
const IS_FORWARDED = 'iifname . ip saddr . ip protocol . th sport @forwarded_inner';
/** Translated on this machine between two of its own bridges, or between a guest and the world. */
export const IS_TRANSLATED = 'ct status snat,dnat';
/** From the world, or from guests, to an address of the world that this machine may hold. */
export const TO_FLOATING = ['iifname . ip daddr @held', 'iifname @asking iifname . ip daddr != @inside4'];

const base = (type: string, hook: string, priority: number, rules: string[]): ChainPlan => ({
  hook: `type ${type} hook ${hook} priority ${priority}; policy accept;`,
  rules,
});
const jumped = (rules: string[]): ChainPlan => ({ hook: null, rules });

/**
 * Which connection a packet is of. Tenants may use the same addresses: their connections are told apart by zones, one
 * for all networks that routers join. What is translated, or for this machine, is answered from outside the zone, so the
 * zone holds for the original direction only. docs/networks.md has all ways.
 */
function zoneChains(toGateway: string): [string, ChainPlan][] {
  const zone = 'ct zone set iifname map @zones';
  return [
    [
      'zones',
      base('filter', 'prerouting', -300, [
        // Others may mark packets, too: on our bridges marks are ours.
        'iifname != @bridges return',
        'ct zone set meta mark map @bridged_zones return',
        'iifname . ip daddr @held ct zone set ip daddr map @floating_zones return',
        'iifname . ip daddr @held return',
        'ct zone set iifname . ip daddr map @inbound_zones4 return',
        'ct zone set iifname . ip6 daddr map @inbound_zones6 return',
        // To an address of the world that guests of this machine leave as: they asked a guest of another machine by another.
        `meta mark ${SEGMENT_NUMBER} ip daddr @held_addresses ${IS_FORWARDED} ct original zone set iifname map @zones return`,
        `meta mark and ${toGateway} == 0 ${zone} return`,
        'fib daddr type local ct original zone set iifname map @zones return',
        'iifname . ip daddr @own4 ct original zone set iifname map @zones return',
        'iifname . ip6 daddr @own6 ct original zone set iifname map @zones return',
        `iifname . ip daddr @inside4 ${zone} return`,
        `iifname . ip6 daddr @inside6 ${zone} return`,
        // Not translated: the world's answers find their zone by the guest's address.
        `iifname @with_gateway meta nfproto ipv6 ${zone} return`,
        `iifname @plain_out meta nfproto ipv4 ${zone} return`,
        `iifname . ip saddr @has_floating ${zone} return`,
        `${IS_FORWARDED} ${zone} return`,
        'ct original zone set iifname map @zones',
      ]),
    ],
    // Errors that this machine itself says about packets of a zone.
    [
      'zones_of_errors',
      base('filter', 'output', -300, [
        `${ICMP_ERRORS} ct zone set meta mark map @mark_zones`,
        `${ICMPV6_ERRORS} ct zone set meta mark map @mark_zones`,
      ]),
    ],
    [
      'answers_of_guests',
      jumped([
        // A guest may have any address, so also that of a machine of the world that another guest talks with.
        'ct reply zone != 0 return',
        `${IS_TRANSLATED} iifname . ct original ip daddr @hairpins return`,
        `${IS_TRANSLATED} drop`,
        // The machine's own: only where it asked this network.
        'iifname . ct mark != @asked drop',
      ]),
    ],
    [
      'questions_of_host',
      base('filter', 'output', -150, ['oifname @inner ct state new ct mark set oifname map @network_marks']),
    ],
  ];
}

/** Which network's table a packet is routed by: the network's that it came from, or that it is translated to. */
function markChains(): [string, ChainPlan][] {
  const toFloating = 'ct direction original iifname @asking iifname . ip daddr != @inside4';
  return [
    [
      'marks',
      base('filter', 'prerouting', -140, [
        // From one guest to another, neither translated nor routed.
        `meta mark < ${SEGMENT_NUMBER} meta pkttype host ct state established ct status and (snat|dnat) == 0 iifname @inner return`,
        'iifname . ip daddr @held goto marks_from_world',
        'iifname @bridges meta mark set iifname map @network_marks',
        'iifname @external meta mark set iifname . ip daddr map @inbound4',
        'iifname @external meta mark set iifname . ip6 daddr map @inbound6',
        'iifname @bridges ct state new ct mark set meta mark',
        `${toFloating} meta mark set ip daddr map @floating_marks`,
        `${toFloating} meta mark set ip daddr . ip protocol . th dport map @forwarded_marks`,
        `iifname @inner ct direction reply ct reply zone 0 ${IS_TRANSLATED} meta mark set ct mark`,
      ]),
    ],
    [
      'marks_from_world',
      jumped([
        'meta mark set 0',
        'ct state new meta mark set ip daddr map @floating_marks',
        'ct state new meta mark set ip daddr . ip protocol . th dport map @forwarded_marks',
        'ct state new ct mark set meta mark',
        'ct state established,related meta mark set ct mark',
      ]),
    ],
  ];
}

function translationChains(): [string, ChainPlan][] {
  const outside = 'iifname @inner oifname @external';
  // To an address of the world that this machine holds itself.
  const hairpin = 'iifname @inner oifname @inner ct status dnat';
  // The same where it is a guest of the sender's own network: the frame is not routed then, but led on by the bridge.
  const sameBridge = `oifname @inner ${IS_BRIDGED} ct direction original ct status dnat`;
  return [
    [
      'floating_ips',
      base(
        'nat',
        'prerouting',
        -100,
        TO_FLOATING.flatMap((match) => [
          `${match} dnat ip to ip daddr map @floating_to`,
          `${match} dnat ip to ip daddr . ip protocol . th dport map @forwarded_to`,
        ]),
      ),
    ],
    [
      'to_external',
      base('nat', 'postrouting', 100, [
        ...[outside, hairpin, sameBridge].flatMap((match) => [
          `${match} snat ip to ct mark . ip saddr map @floating_of`,
          `${match} snat ip to ct mark map @snat_to`,
        ]),
        // Who leaves by the machine itself asks as the guests of the asked leave it.
        `${hairpin} ct mark @masqueraded snat ip to meta mark map @snat_to`,
      ]),
    ],
  ];
}

/** What routers let pass, before the groups of the receiver say the rest. */
function forwardChains(): [string, ChainPlan][] {
  return [
    [
      'routed',
      jumped([
        'iifname != @bridges return',
        `${IS_BRIDGED} return`,
        'oifname @bridges ct direction original ct status dnat ct original ip daddr . ct reply ip saddr != @translated drop',
        'iifname @external goto from_world',
        'iifname @inner oifname @inner ct direction original ct status dnat accept',
        `iifname @inner oifname @inner ct direction reply ct reply zone 0 ${IS_TRANSLATED} accept`,
        'oifname @bridges iifname . oifname != @passable drop',
        'oifname @external accept',
        'oifname != @bridges meta mark != @masqueraded drop',
      ]),
    ],
    [
      'from_world',
      jumped([
        'ct direction reply oifname . iifname @passable accept',
        'ct state related oifname . iifname @passable accept',
        'ct direction original ct status dnat goto to_guests',
        'oifname @inner ct direction original iifname . ip daddr @inbound4 goto to_guests',
        'oifname @inner ct direction original iifname . ip6 daddr @inbound6 goto to_guests',
        // Answers to what left by another machine, which alone knows of it: the guest's own machine judges.
        'oifname @inner ct state invalid iifname . ip daddr @inbound4 goto to_guests',
        'oifname @inner ct state invalid iifname . ip6 daddr @inbound6 goto to_guests',
        'drop',
      ]),
    ],
    // The source is now what the receiver sees: only so is it judged.
    [
      'translated_out',
      base('filter', 'postrouting', 150, [
        `${IS_BRIDGED} return`,
        'iifname != @inner return',
        'ct direction reply return',
        'oifname @inner ct status dnat goto hairpin',
        'oifname @external goto leaving',
        // By the machine itself: never as what only the guest says it is, as in a connection that another guest began.
        'oifname != @bridges meta nfproto ipv4 ct status snat return',
        'oifname != @bridges meta nfproto ipv4 drop',
        'oifname != @bridges iifname . ip6 saddr != @plain_from6 drop',
      ]),
    ],
    ['hairpin', jumped(['ct status snat goto to_guests', 'drop'])],
    [
      'leaving',
      jumped([
        // What nobody translates leaves as what is its network's, never as what only the guest says it is.
        'iifname . ip6 saddr != @plain_from6 drop',
        'meta mark @untranslated ct status and snat == 0 iifname . ip saddr != @plain_from4 drop',
        'oifname . rt ip nexthop vmap @ingress4',
        'oifname . rt ip6 nexthop vmap @ingress6',
        'ct status snat oifname . ip saddr != @held drop',
        'ct status snat ip saddr @floating_addresses ip saddr . ct original ip saddr != @translated drop',
        'meta nfproto ipv4 ct status snat accept',
        'meta nfproto ipv4 meta mark != @untranslated drop',
      ]),
    ],
  ];
}

/** Chains of routers, floating IPs and forwarded ports. */
export function routerChains(toGateway: string): [string, ChainPlan][] {
  return [...zoneChains(toGateway), ...markChains(), ...translationChains(), ...forwardChains()];
}

/** What nobody translates is not this machine's. */
export const NOT_TRANSLATED = ['ip daddr @held_addresses drop'];
/** That a packet is too big, or cannot go on. */
export const ERRORS_FROM_HOST = [`${ICMP_ERRORS} accept`, `${ICMPV6_ERRORS} accept`];
