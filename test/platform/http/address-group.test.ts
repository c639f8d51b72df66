import test from 'ava'
import { addressGroup, createKnown } from '../../../platform/http/address-group.ts'

for (const [address, group] of [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['::9', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', undefined],
  [undefined, undefined],
  ['not an address', undefined],
] as const) {
  test(`${address} counts as ${group}`, (t) => t.is(addressGroup(address), group))
}

test('this machine is known, and who is named', (t) => {
  const isKnown = createKnown(['192.0.2.7', '2001:db8::7'])
  for (const address of [
    ...['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', undefined],
    ...['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::7'],
  ]) {
    t.true(isKnown(address), address)
  }
  for (const address of ['128.0.0.1', '192.0.2.8', '2001:db8::8', '::2']) {
    t.false(isKnown(address), address)
  }
})
