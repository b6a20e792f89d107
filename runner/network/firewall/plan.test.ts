import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { groupOf, id, networkOf, portOf } from '../../testing/specs.ts';
import { Inventory } from '../inventory.ts';
import { Names } from '../names.ts';
import { planBridgeTable } from './plan-bridge-table.ts';
import { planInetTable } from './plan-inet-table.ts';
import { fullScript } from './ruleset.ts';

const names = new Names('ae1234');
let folder: string;
let inventory: Inventory;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aeroplan-'));
  inventory = await Inventory.open(folder);
  await inventory.put('network', id(1), networkOf(1));
  await inventory.put('security-group', id(2), groupOf(2));
  const fixed_ips = ['10.0.0.5', '2001:DB8::5'].map((ip_address) => ({ subnet_id: id(9), ip_address }));
  await inventory.put('port', id(3), portOf(3, 1, { fixed_ips, security_groups: [id(2)] }));
  await inventory.put('port', id(4), portOf(4, 1, { port_security_enabled: false }));
});
afterEach(() => rm(folder, { recursive: true }));

const lines = (script: string, like: RegExp) => script.split('\n').filter((line) => like.test(line));

it('ties a secured port to its addresses and marks every port', () => {
  const script = fullScript([planBridgeTable(names, inventory)]);
  const [tap, other] = [names.tap(id(3)), names.tap(id(4))];
  expect(lines(script, /^add element/)).toEqual([
    `add element bridge ae1234 taps { "${tap}", "${other}" }`,
    `add element bridge ae1234 senders { "${tap}" : goto from_secured, "${other}" : goto from_unsecured }`,
    `add element bridge ae1234 secured { "${tap}" }`,
    `add element bridge ae1234 port_marks { "${tap}" : 1, "${other}" : 2 }`,
    `add element bridge ae1234 same_tap { "${tap}" . "${tap}", "${other}" . "${other}" }`,
    `add element bridge ae1234 port_macs { "${tap}" . fa:16:3e:00:00:03, "${other}" . fa:16:3e:00:00:04 }`,
    `add element bridge ae1234 own_macs { "${tap}" . fa:16:3e:00:00:03 }`,
    `add element bridge ae1234 macs_of_any { "${other}" : fa:16:3e:00:00:04 }`,
    `add element bridge ae1234 own_ip4 { "${tap}" . fa:16:3e:00:00:03 . 10.0.0.5 }`,
    `add element bridge ae1234 own_ip6 { "${tap}" . fa:16:3e:00:00:03 . 2001:db8::5, "${tap}" . fa:16:3e:00:00:03 . fe80::f816:3eff:fe00:3 }`,
    expect.stringContaining(`add element bridge ae1234 nd_targets { "${tap}" . 0x20010db8000000000000000000000005, `),
    expect.stringContaining('add element bridge ae1234 gateways { fa:16:'),
  ]);
});

it('sends each port to the chain of its groups, and a network to its routing and metadata', () => {
  const script = fullScript([planInetTable(names, inventory, new Map([[id(1), 8775]]))]);
  const bridge = names.bridge(id(1));
  const mark = names.networkMark(1);
  const egress = lines(script, /^add element inet ae1234 egress /)[0];
  expect(egress).toMatch(
    /\{ 1 : jump (egress-ports-[0-9a-f]{16}), \d+ : jump \1, 2 : accept, \d+ : accept, \d+ : accept \}$/,
  );
  expect(
    lines(script, /^add element inet ae1234 (bridges|zones|network_marks|masqueraded|metadata|ingress4) /),
  ).toEqual([
    `add element inet ae1234 bridges { "${bridge}" }`,
    `add element inet ae1234 network_marks { "${bridge}" : ${mark} }`,
    `add element inet ae1234 masqueraded { ${mark} }`,
    `add element inet ae1234 metadata { "${bridge}" : 169.254.169.254 . 8775 }`,
    expect.stringMatching(`"${bridge}" . 10.0.0.5 : jump ingress-ports-`),
    `add element inet ae1234 zones { "${bridge}" : 1 }`,
  ]);
});

it('has these fixed rules', () => {
  const script = fullScript([planBridgeTable(names, inventory), planInetTable(names, inventory, new Map())]);
  const fixed = lines(script, /^add (chain|rule) (?!.*(-ports-|-(group|answers)-))/).map((line) =>
    line.replace(/^add /, ''),
  );
  expect(fixed.join('\n')).toMatchInlineSnapshot(`
    "chain bridge ae1234 coming { type filter hook prerouting priority -300; policy accept; }
    chain bridge ae1234 from_taps
    chain bridge ae1234 from_secured
    chain bridge ae1234 from_unsecured
    chain bridge ae1234 from_any
    chain bridge ae1234 to_gateway
    chain bridge ae1234 passing { type filter hook forward priority -200; policy accept; }
    chain bridge ae1234 between_taps
    chain bridge ae1234 to_taps { type filter hook postrouting priority 200; policy accept; }
    chain bridge ae1234 limits
    chain bridge ae1234 to_holder
    chain bridge ae1234 guard
    chain bridge ae1234 guard_arp
    chain bridge ae1234 guard_ip4
    chain bridge ae1234 guard_ip6
    chain bridge ae1234 from_segments
    chain bridge ae1234 to_segments
    chain bridge ae1234 host_to_segments { type filter hook output priority -1; policy accept; }
    rule bridge ae1234 coming iifname "ae1234t*" goto from_taps
    rule bridge ae1234 coming iifname @segments goto from_segments
    rule bridge ae1234 from_taps iifname vmap @senders
    rule bridge ae1234 from_taps drop
    rule bridge ae1234 from_secured jump guard
    rule bridge ae1234 from_secured goto from_any
    rule bridge ae1234 from_unsecured ether daddr @gateways ether saddr set iifname map @macs_of_any
    rule bridge ae1234 from_unsecured goto from_any
    rule bridge ae1234 from_any meta l4proto != tcp jump limits
    rule bridge ae1234 from_any ether type arp jump limits
    rule bridge ae1234 from_any meta mark set iifname map @port_marks
    rule bridge ae1234 from_any ether daddr @gateways goto to_gateway
    rule bridge ae1234 to_gateway ether type ip jump to_holder
    rule bridge ae1234 to_gateway ether daddr @gateways meta mark set meta mark or 0x40000000
    rule bridge ae1234 passing oifname "ae1234t*" goto between_taps
    rule bridge ae1234 passing oifname @segments goto to_segments
    rule bridge ae1234 between_taps iifname . oifname @same_tap oifname . ether daddr != @port_macs drop
    rule bridge ae1234 between_taps meta mark set oifname map @port_marks
    rule bridge ae1234 to_taps oifname != "ae1234t*" return
    rule bridge ae1234 to_taps meta mark 2147483647 ether type { ip, ip6 } oifname @taps accept
    rule bridge ae1234 to_taps oifname != @taps drop
    rule bridge ae1234 to_taps oifname @secured ether type != arp drop
    rule bridge ae1234 limits ether type arp update @arp_rate { iifname limit rate over 200/second burst 200 packets } drop
    rule bridge ae1234 limits icmpv6 type { 130, 131, 132, 133, 135, 136, 143 } update @nd_rate { iifname limit rate over 200/second burst 200 packets } drop
    rule bridge ae1234 limits udp dport { 67, 547 } update @dhcp_rate { iifname limit rate over 20/second burst 20 packets } drop
    rule bridge ae1234 to_holder ip daddr 169.254.169.254 return
    rule bridge ae1234 to_holder iifname . ip daddr @near return
    rule bridge ae1234 to_holder ether daddr set iifname . ip saddr . ip protocol . th sport map @holders
    rule bridge ae1234 to_holder icmp type { destination-unreachable, time-exceeded, parameter-problem } ether daddr set iifname . @th,136,8 . @th,240,16 map @holders_of_errors
    rule bridge ae1234 guard ether type vmap { arp : goto guard_arp, ip : goto guard_ip4, ip6 : goto guard_ip6 }
    rule bridge ae1234 guard drop
    rule bridge ae1234 guard_arp iifname . ether saddr != @own_macs drop
    rule bridge ae1234 guard_arp arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 iifname . arp saddr ether . arp saddr ip @own_ip4 return
    rule bridge ae1234 guard_arp arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 iifname . arp saddr ether @own_macs arp saddr ip 0.0.0.0 return
    rule bridge ae1234 guard_arp arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 iifname . arp saddr ether . arp saddr ip @pairs_ip4 return
    rule bridge ae1234 guard_arp drop
    rule bridge ae1234 guard_ip4 udp sport 67 drop
    rule bridge ae1234 guard_ip4 iifname . ether saddr . ip saddr @own_ip4 return
    rule bridge ae1234 guard_ip4 iifname . ether saddr . ip saddr @pairs_ip4 return
    rule bridge ae1234 guard_ip4 iifname . ether saddr != @own_macs drop
    rule bridge ae1234 guard_ip4 ip saddr 0.0.0.0 udp sport 68 udp dport 67 return
    rule bridge ae1234 guard_ip4 drop
    rule bridge ae1234 guard_ip6 icmpv6 type { nd-router-advert, nd-redirect } drop
    rule bridge ae1234 guard_ip6 udp sport 547 drop
    rule bridge ae1234 guard_ip6 icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @nd_targets iifname . @th,64,128 != @nd_ranges drop
    rule bridge ae1234 guard_ip6 iifname . ether saddr . ip6 saddr @own_ip6 return
    rule bridge ae1234 guard_ip6 iifname . ether saddr . ip6 saddr @pairs_ip6 return
    rule bridge ae1234 guard_ip6 iifname . ether saddr != @own_macs drop
    rule bridge ae1234 guard_ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, 131, 132, 143 } return
    rule bridge ae1234 guard_ip6 drop
    rule bridge ae1234 from_segments ether daddr @gateways drop
    rule bridge ae1234 from_segments ether type arp iifname . arp saddr ip @gateways4 drop
    rule bridge ae1234 from_segments ether type arp iifname . arp daddr ip @gateways4 drop
    rule bridge ae1234 from_segments udp dport { 67, 547 } drop
    rule bridge ae1234 from_segments udp sport { 67, 547 } drop
    rule bridge ae1234 from_segments iifname @served icmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } drop
    rule bridge ae1234 from_segments icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } iifname . @th,64,128 @gateways6 drop
    rule bridge ae1234 from_segments meta mark set 1073741823
    rule bridge ae1234 to_segments ether type arp oifname . arp saddr ip @gateways4 drop
    rule bridge ae1234 to_segments ether type arp oifname . arp daddr ip @gateways4 drop
    rule bridge ae1234 to_segments udp dport { 67, 547 } drop
    rule bridge ae1234 to_segments udp sport { 67, 547 } drop
    rule bridge ae1234 to_segments oifname @served icmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } drop
    rule bridge ae1234 to_segments icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } oifname . @th,64,128 @gateways6 drop
    rule bridge ae1234 to_segments meta mark set 1073741823
    rule bridge ae1234 host_to_segments oifname != @segments return
    rule bridge ae1234 host_to_segments ether saddr @gateways ether daddr and 01:00:00:00:00:00 == 01:00:00:00:00:00 drop
    rule bridge ae1234 host_to_segments ether type arp oifname . arp saddr ip @gateways4 drop
    rule bridge ae1234 host_to_segments ether type arp oifname . arp daddr ip @gateways4 drop
    rule bridge ae1234 host_to_segments udp dport { 67, 547 } drop
    rule bridge ae1234 host_to_segments udp sport { 67, 547 } drop
    rule bridge ae1234 host_to_segments oifname @served icmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } drop
    rule bridge ae1234 host_to_segments icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } oifname . @th,64,128 @gateways6 drop
    chain inet ae1234 ingress-replies-e79acd97ac880866
    chain inet ae1234 egress-replies-e79acd97ac880866
    chain inet ae1234 ingress-replies-e3b0c44298fc1c14
    chain inet ae1234 egress-replies-e3b0c44298fc1c14
    chain inet ae1234 zones { type filter hook prerouting priority -300; policy accept; }
    chain inet ae1234 zones_of_errors { type filter hook output priority -300; policy accept; }
    chain inet ae1234 answers_of_guests
    chain inet ae1234 questions_of_host { type filter hook output priority -150; policy accept; }
    chain inet ae1234 marks { type filter hook prerouting priority -140; policy accept; }
    chain inet ae1234 marks_from_world
    chain inet ae1234 floating_ips { type nat hook prerouting priority -100; policy accept; }
    chain inet ae1234 to_external { type nat hook postrouting priority 100; policy accept; }
    chain inet ae1234 routed
    chain inet ae1234 from_world
    chain inet ae1234 translated_out { type filter hook postrouting priority 150; policy accept; }
    chain inet ae1234 hairpin
    chain inet ae1234 leaving
    chain inet ae1234 from_guests { type filter hook prerouting priority -150; policy accept; }
    chain inet ae1234 egress_of_port
    chain inet ae1234 connection_limits
    chain inet ae1234 metadata_service { type nat hook prerouting priority -100; policy accept; }
    chain inet ae1234 judged_bridged { type filter hook forward priority 10; policy accept; }
    chain inet ae1234 judged_routed { type filter hook postrouting priority 200; policy accept; }
    chain inet ae1234 to_the_world { type nat hook postrouting priority 100; policy accept; }
    chain inet ae1234 through { type filter hook forward priority 0; policy accept; }
    chain inet ae1234 between_ports
    chain inet ae1234 to_guests
    chain inet ae1234 to_host { type filter hook input priority 0; policy accept; }
    chain inet ae1234 from_host { type filter hook output priority 0; policy accept; }
    chain inet ae1234 out_of_tunnels { type filter hook input priority -10; policy accept; }
    rule inet ae1234 zones iifname != @bridges return
    rule inet ae1234 zones ct zone set meta mark map @bridged_zones return
    rule inet ae1234 zones iifname . ip daddr @held ct zone set ip daddr map @floating_zones return
    rule inet ae1234 zones iifname . ip daddr @held return
    rule inet ae1234 zones ct zone set iifname . ip daddr map @inbound_zones4 return
    rule inet ae1234 zones ct zone set iifname . ip6 daddr map @inbound_zones6 return
    rule inet ae1234 zones meta mark 1073741823 ip daddr @held_addresses iifname . ip saddr . ip protocol . th sport @forwarded_inner ct original zone set iifname map @zones return
    rule inet ae1234 zones meta mark and 0x40000000 == 0 ct zone set iifname map @zones return
    rule inet ae1234 zones fib daddr type local ct original zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip daddr @own4 ct original zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip6 daddr @own6 ct original zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip daddr @inside4 ct zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip6 daddr @inside6 ct zone set iifname map @zones return
    rule inet ae1234 zones iifname @with_gateway meta nfproto ipv6 ct zone set iifname map @zones return
    rule inet ae1234 zones iifname @plain_out meta nfproto ipv4 ct zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip saddr @has_floating ct zone set iifname map @zones return
    rule inet ae1234 zones iifname . ip saddr . ip protocol . th sport @forwarded_inner ct zone set iifname map @zones return
    rule inet ae1234 zones ct original zone set iifname map @zones
    rule inet ae1234 zones_of_errors icmp type { destination-unreachable, time-exceeded, parameter-problem } ct zone set meta mark map @mark_zones
    rule inet ae1234 zones_of_errors icmpv6 type { 1, 2, 3, 4 } ct zone set meta mark map @mark_zones
    rule inet ae1234 answers_of_guests ct reply zone != 0 return
    rule inet ae1234 answers_of_guests ct status snat,dnat iifname . ct original ip daddr @hairpins return
    rule inet ae1234 answers_of_guests ct status snat,dnat drop
    rule inet ae1234 answers_of_guests iifname . ct mark != @asked drop
    rule inet ae1234 questions_of_host oifname @inner ct state new ct mark set oifname map @network_marks
    rule inet ae1234 marks meta mark < 1073741823 meta pkttype host ct state established ct status and (snat|dnat) == 0 iifname @inner return
    rule inet ae1234 marks iifname . ip daddr @held goto marks_from_world
    rule inet ae1234 marks iifname @bridges meta mark set iifname map @network_marks
    rule inet ae1234 marks iifname @external meta mark set iifname . ip daddr map @inbound4
    rule inet ae1234 marks iifname @external meta mark set iifname . ip6 daddr map @inbound6
    rule inet ae1234 marks iifname @bridges ct state new ct mark set meta mark
    rule inet ae1234 marks ct direction original iifname @asking iifname . ip daddr != @inside4 meta mark set ip daddr map @floating_marks
    rule inet ae1234 marks ct direction original iifname @asking iifname . ip daddr != @inside4 meta mark set ip daddr . ip protocol . th dport map @forwarded_marks
    rule inet ae1234 marks iifname @inner ct direction reply ct reply zone 0 ct status snat,dnat meta mark set ct mark
    rule inet ae1234 marks_from_world meta mark set 0
    rule inet ae1234 marks_from_world ct state new meta mark set ip daddr map @floating_marks
    rule inet ae1234 marks_from_world ct state new meta mark set ip daddr . ip protocol . th dport map @forwarded_marks
    rule inet ae1234 marks_from_world ct state new ct mark set meta mark
    rule inet ae1234 marks_from_world ct state established,related meta mark set ct mark
    rule inet ae1234 floating_ips iifname . ip daddr @held dnat ip to ip daddr map @floating_to
    rule inet ae1234 floating_ips iifname . ip daddr @held dnat ip to ip daddr . ip protocol . th dport map @forwarded_to
    rule inet ae1234 floating_ips iifname @asking iifname . ip daddr != @inside4 dnat ip to ip daddr map @floating_to
    rule inet ae1234 floating_ips iifname @asking iifname . ip daddr != @inside4 dnat ip to ip daddr . ip protocol . th dport map @forwarded_to
    rule inet ae1234 to_external iifname @inner oifname @external snat ip to ct mark . ip saddr map @floating_of
    rule inet ae1234 to_external iifname @inner oifname @external snat ip to ct mark map @snat_to
    rule inet ae1234 to_external iifname @inner oifname @inner ct status dnat snat ip to ct mark . ip saddr map @floating_of
    rule inet ae1234 to_external iifname @inner oifname @inner ct status dnat snat ip to ct mark map @snat_to
    rule inet ae1234 to_external oifname @inner meta mark and 0x80000000 == 0 ct direction original ct status dnat snat ip to ct mark . ip saddr map @floating_of
    rule inet ae1234 to_external oifname @inner meta mark and 0x80000000 == 0 ct direction original ct status dnat snat ip to ct mark map @snat_to
    rule inet ae1234 to_external iifname @inner oifname @inner ct status dnat ct mark @masqueraded snat ip to meta mark map @snat_to
    rule inet ae1234 routed iifname != @bridges return
    rule inet ae1234 routed meta mark and 0x80000000 == 0 return
    rule inet ae1234 routed oifname @bridges ct direction original ct status dnat ct original ip daddr . ct reply ip saddr != @translated drop
    rule inet ae1234 routed iifname @external goto from_world
    rule inet ae1234 routed iifname @inner oifname @inner ct direction original ct status dnat accept
    rule inet ae1234 routed iifname @inner oifname @inner ct direction reply ct reply zone 0 ct status snat,dnat accept
    rule inet ae1234 routed oifname @bridges iifname . oifname != @passable drop
    rule inet ae1234 routed oifname @external accept
    rule inet ae1234 routed oifname != @bridges meta mark != @masqueraded drop
    rule inet ae1234 from_world ct direction reply oifname . iifname @passable accept
    rule inet ae1234 from_world ct state related oifname . iifname @passable accept
    rule inet ae1234 from_world ct direction original ct status dnat goto to_guests
    rule inet ae1234 from_world oifname @inner ct direction original iifname . ip daddr @inbound4 goto to_guests
    rule inet ae1234 from_world oifname @inner ct direction original iifname . ip6 daddr @inbound6 goto to_guests
    rule inet ae1234 from_world oifname @inner ct state invalid iifname . ip daddr @inbound4 goto to_guests
    rule inet ae1234 from_world oifname @inner ct state invalid iifname . ip6 daddr @inbound6 goto to_guests
    rule inet ae1234 from_world drop
    rule inet ae1234 translated_out meta mark and 0x80000000 == 0 return
    rule inet ae1234 translated_out iifname != @inner return
    rule inet ae1234 translated_out ct direction reply return
    rule inet ae1234 translated_out oifname @inner ct status dnat goto hairpin
    rule inet ae1234 translated_out oifname @external goto leaving
    rule inet ae1234 translated_out oifname != @bridges meta nfproto ipv4 ct status snat return
    rule inet ae1234 translated_out oifname != @bridges meta nfproto ipv4 drop
    rule inet ae1234 translated_out oifname != @bridges iifname . ip6 saddr != @plain_from6 drop
    rule inet ae1234 hairpin ct status snat goto to_guests
    rule inet ae1234 hairpin drop
    rule inet ae1234 leaving iifname . ip6 saddr != @plain_from6 drop
    rule inet ae1234 leaving meta mark @untranslated ct status and snat == 0 iifname . ip saddr != @plain_from4 drop
    rule inet ae1234 leaving oifname . rt ip nexthop vmap @ingress4
    rule inet ae1234 leaving oifname . rt ip6 nexthop vmap @ingress6
    rule inet ae1234 leaving ct status snat oifname . ip saddr != @held drop
    rule inet ae1234 leaving ct status snat ip saddr @floating_addresses ip saddr . ct original ip saddr != @translated drop
    rule inet ae1234 leaving meta nfproto ipv4 ct status snat accept
    rule inet ae1234 leaving meta nfproto ipv4 meta mark != @untranslated drop
    rule inet ae1234 from_guests ct direction reply iifname @inner jump answers_of_guests
    rule inet ae1234 from_guests iifname @bridges goto egress_of_port
    rule inet ae1234 from_guests ct mark and 0xffff0000 == 0xbc730000 meta mark set ct mark
    rule inet ae1234 egress_of_port udp sport . udp dport { 68 . 67, 546 . 547 } accept
    rule inet ae1234 egress_of_port ip daddr 169.254.169.254 tcp dport 80 accept
    rule inet ae1234 egress_of_port icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, 130, 131, 132, 143 } accept
    rule inet ae1234 egress_of_port ct state new meta mark != 1073741823 jump connection_limits
    rule inet ae1234 egress_of_port meta mark vmap @egress
    rule inet ae1234 egress_of_port drop
    rule inet ae1234 connection_limits update @new_rate { meta mark and 0x3fffffff limit rate over 1000/second burst 1000 packets } drop
    rule inet ae1234 connection_limits add @connections { meta mark and 0x3fffffff ct count over 16384 } drop
    rule inet ae1234 metadata_service iifname @bridges ip daddr 169.254.169.254 tcp dport 80 dnat ip to iifname map @metadata
    rule inet ae1234 judged_bridged meta mark and 0x80000000 == 0 iifname @bridges meta mark set 2147483647
    rule inet ae1234 judged_routed meta mark != 2147483647 oifname @bridges meta mark set 2147483647
    rule inet ae1234 to_the_world oifname != @bridges meta nfproto ipv4 meta mark @masqueraded masquerade
    rule inet ae1234 through meta mark and 0x80000000 == 0 iifname @bridges goto between_ports
    rule inet ae1234 through iifname != @bridges oifname != @bridges accept
    rule inet ae1234 through iifname @bridges oifname != @bridges udp dport 4789 drop
    rule inet ae1234 through jump routed
    rule inet ae1234 through oifname @bridges goto to_guests
    rule inet ae1234 between_ports icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, 130, 131, 132, 143 } accept
    rule inet ae1234 between_ports meta mark vmap @ingress
    rule inet ae1234 between_ports drop
    rule inet ae1234 to_guests oifname . rt ip nexthop vmap @ingress4
    rule inet ae1234 to_guests oifname . rt ip6 nexthop vmap @ingress6
    rule inet ae1234 to_guests ct state related accept
    rule inet ae1234 to_guests ct state established ct direction reply accept
    rule inet ae1234 to_guests drop
    rule inet ae1234 to_host iifname != @bridges iifname != "lo" ip daddr 169.254.169.254 drop
    rule inet ae1234 to_host iifname != @bridges accept
    rule inet ae1234 to_host ip daddr @held_addresses drop
    rule inet ae1234 to_host ct state established,related accept
    rule inet ae1234 to_host udp sport 68 udp dport 67 accept
    rule inet ae1234 to_host udp sport 546 udp dport 547 accept
    rule inet ae1234 to_host ip daddr 169.254.169.254 meta l4proto tcp ct status dnat accept
    rule inet ae1234 to_host icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, 130, 131, 132, 143 } accept
    rule inet ae1234 to_host icmp type echo-request accept
    rule inet ae1234 to_host icmpv6 type echo-request accept
    rule inet ae1234 to_host drop
    rule inet ae1234 from_host oifname != @bridges accept
    rule inet ae1234 from_host ct state related accept
    rule inet ae1234 from_host ct state established ct direction reply accept
    rule inet ae1234 from_host icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
    rule inet ae1234 from_host icmpv6 type { 1, 2, 3, 4 } accept
    rule inet ae1234 from_host udp sport 67 udp dport 68 accept
    rule inet ae1234 from_host udp sport 547 udp dport 546 accept
    rule inet ae1234 from_host icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, 130 } accept
    rule inet ae1234 from_host goto to_guests
    rule inet ae1234 out_of_tunnels udp dport 4789 @th,96,24 @tunnels ip saddr != @tunnel_peers4 drop
    rule inet ae1234 out_of_tunnels udp dport 4789 @th,96,24 @tunnels ip6 saddr != @tunnel_peers6 drop"
  `);
});
