import test from 'ava'
import { createRate } from '../../../platform/http/rate.ts'

test('an address has so many a minute, and all together have so many', (t) => {
  let now = 0
  const rate = createRate({ perAddress: 2, most: 5, proxies: ['192.0.2.9'] }, () => now)
  const allowed = (address: string, times: number) =>
    Array.from({ length: times }, () => rate(address)).filter(Boolean).length
  t.is(allowed('192.0.2.1', 3), 2)
  t.is(allowed('2001:db8::1', 1), 1)
  t.is(allowed('2001:db8::2', 2), 1)
  t.is(allowed('192.0.2.2', 1), 1)
  t.is(allowed('192.0.2.3', 1), 0)
  now = 59_999
  t.is(allowed('192.0.2.1', 1), 0)
  now = 60_000
  t.is(allowed('192.0.2.9', 4), 4)
  t.is(allowed('127.0.0.1', 3), 1)
})
