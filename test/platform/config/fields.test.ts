import test from 'ava'
import { parseDuration, parseSize } from '../../../platform/config/index.ts'

for (const { text, is } of [
  { text: '30s', is: 30_000 },
  { text: '1.5h', is: 5_400_000 },
  { text: '250 ms', is: 250 },
  { text: '366d', is: 366 * 86_400_000 },
  { text: '0s', is: 0 },
]) {
  test(`the duration ${text}`, (t) => t.is(parseDuration(text), is))
}

for (const text of ['', '30', 's', '-1s', '1 week', '367d', '1e3s', '٣s', '9'.repeat(400)]) {
  test(`no duration: ${text.slice(0, 20)}`, (t) => {
    t.throws(() => parseDuration(text), { code: 'not_a_duration' })
  })
}

for (const { text, is } of [
  { text: '1B', is: 1 },
  { text: '10 MB', is: 10_000_000 },
  { text: '64 KiB', is: 65_536 },
  { text: '1.5kB', is: 1500 },
  { text: '1024 GiB', is: 2 ** 40 },
]) {
  test(`the size ${text}`, (t) => t.is(parseSize(text), is))
}

for (const text of ['', '10', '0 B', '-1 MB', '1025 GiB', '10 mb', 'MB']) {
  test(`no size: ${text}`, (t) => {
    t.throws(() => parseSize(text), { code: 'not_a_size' })
  })
}
