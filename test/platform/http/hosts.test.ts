import { networkInterfaces } from 'node:os'
import test from 'ava'
import { createHosts } from '../../../platform/http/hosts.ts'

const { isOurs, isOurPage } = createHosts({
  names: ['shop.example.org', '*.example.net'],
  machine: 'Kitchen.lan',
})

for (const [host, expected] of [
  [undefined, true],
  ['', true],
  ['127.0.0.1:5000', true],
  ['192.168.1.20', true],
  ['[::1]:5000', true],
  ['[2001:db8::1]', true],
  ['localhost:5000', true],
  ['LOCALHOST', true],
  ['api.localhost', true],
  ['kitchen.local:5000', true],
  ['anything.local.', true],
  ['kitchen', true],
  ['kitchen.lan:5000', true],
  ['shop.example.org', true],
  ['Shop.Example.Org.:443', true],
  ['a.b.example.net', true],
  ['example.net', false],
  ['notexample.net', false],
  ['evil.example', false],
  ['evil.example:5000', false],
  ['shop.example.org.evil.example', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['evillocalhost', false],
  ['local', false],
  ['[evil.example]', false],
  ['a:b:c', false],
] as const) {
  test(`Host: ${host} is ${expected ? 'ours' : 'not ours'}`, (t) => t.is(isOurs(host), expected))
}

const [own = '127.0.0.1'] = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .flatMap(({ family, address }) => (family === 'IPv4' ? [address] : []))

for (const [origin, host, expected] of [
  ['http://192.168.1.20:5000', '192.168.1.20:5000', true],
  ['http://192.168.1.66', '192.168.1.20:5000', false],
  ['http://evil.example:5000', 'evil.example:5000', false],
  ['https://shop.example.org', '127.0.0.1:5000', true],
  [`http://${own}`, '127.0.0.1:5000', true],
  ['http://evil.example', '127.0.0.1:5000', false],
  ['null', '127.0.0.1:5000', false],
] as const) {
  test(`a page of ${origin} at ${host} is ${expected ? 'ours' : 'not ours'}`, (t) =>
    t.is(isOurPage(origin, host), expected))
}

test('behind whatever: all names are ours when that is configured', (t) => {
  const all = createHosts({ names: ['*'] })
  t.true(all.isOurs('evil.example'))
  t.true(all.isOurPage('http://evil.example', '127.0.0.1'))
})
