import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * What the IANA registries of special-purpose addresses keep from the public (RFC 6890 and its successors): this host,
 * private networks, shared ones, loopback, link-local with the clouds' metadata, documentation, benchmarks, multicast,
 * reserved.
 */
const closedV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Within the global unicast space: what carries an IPv4 address inside (Teredo, 6to4), or is for documents. */
const closedV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const closed = new BlockList();
for (const [network, bits] of closedV4) closed.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of closedV6) closed.addSubnet(network, bits, 'ipv6');

const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** True for an address that anybody on the internet may have; IPv6 outside the global unicast space is none. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !closed.check(address, 'ipv4');
  const [plain = ''] = address.split('%');
  return isIPv6(plain) && globalUnicast.check(plain, 'ipv6') && !closed.check(plain, 'ipv6');
}
