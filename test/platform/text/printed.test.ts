// What is shown of values that may hold a key.
import test from 'ava'
import fc from 'fast-check'
import {
  originsOnly,
  printedCommand,
  printedSettings,
  printedUrl,
  withoutKeys,
  withoutPartsOf,
} from '../../../platform/text/printed.ts'

test('of a URL there is the origin, and a hash that tells two of one service apart', (t) => {
  t.is(printedUrl('http://10.0.0.1:8545'), 'http://10.0.0.1:8545')
  t.is(printedUrl('http://me:hush@10.0.0.1:8545/'), 'http://10.0.0.1:8545')
  t.regex(
    printedUrl('https://hooks.example.com/services/T0/SECRET'),
    /^https:\/\/hooks\.example\.com#[0-9a-f]{8}$/,
  )
  t.not(printedUrl('https://a.example/one'), printedUrl('https://a.example/two'))
  t.is(printedUrl('https://a.example/one'), printedUrl('https://me:hush@a.example/one'))
  t.is(printedUrl('mqtt://me:hush@broker:1883'), 'mqtt://broker:1883')
  t.is(printedUrl('mainnet.example/v3/KEY'), '…')
})

const texts: readonly (readonly [string, string, string])[] = [
  ['user and password', 'at https://me:hush@a.example/x now', 'at https://a.example/x now'],
  ['the query', 'GET http://a.example/x?key=hush, twice', 'GET http://a.example/x twice'],
  ['the fragment', 'see http://a.example/x#hush', 'see http://a.example/x'],
  ['the query of a path', 'living-room/x?key=hush', 'living-room/x'],
  ['nothing of a sentence', 'Is it there? Look at /etc.', 'Is it there? Look at /etc.'],
]

for (const [what, text, shown] of texts) {
  test(`of a text is left out: ${what}`, (t) => {
    t.is(withoutKeys(text), shown)
  })
}

test('of what a library says there are origins only', (t) => {
  const said = 'server response 401 (request={ "url": "https://rpc.example/v3/hush" }, code=X)'
  t.is(originsOnly(said), 'server response 401 (request={ "url": "https://rpc.example" }, code=X)')
})

test('what a service repeats of our URL is taken out, and words are left', (t) => {
  const url = 'https://me:pass@rpc.example/execution/v3/0123456789abcdef?token=fedcba98'
  t.is(
    withoutPartsOf(url, 'execution reverted: 0123456789abcdef and fedcba98 of pass are v3'),
    'execution reverted: … and … of … are v3',
  )
})

// Log lines have words of receivers, nodes and clients in them. A pattern that tries each beginning with each
// end would not be done with these while anybody waits.
for (const piece of [
  '/',
  'a',
  'a/',
  'a:',
  'a://',
  'a://b',
  'a://b@',
  'a://b/',
  'a://b/#',
  '?',
  '/?\\',
]) {
  test(`a text of nothing but ${piece} is read once`, (t) => {
    t.true(originsOnly(piece.repeat(50_000)).length <= piece.length * 50_000)
  })
}

test('of a command there is the program, and a hash of its arguments', (t) => {
  t.is(printedCommand(['sync']), 'sync')
  t.regex(printedCommand(['curl', '-H', 'X-Key: hush']), /^curl#[0-9a-f]{8}$/)
})

test('of a configuration the values of headers and the like are left out', (t) => {
  const shown = JSON.stringify(
    printedSettings({
      rpc: ['https://rpc.example/v3/hush', 'http://10.0.0.1:8545'],
      jobs: { a: { headers: { 'X-Key': 'hush' }, sinks: [{ command: ['curl', 'hush'] }] } },
      admin: { users: { me: { hash: 'hush' } } },
      timeout: 30,
    }),
  )
  t.false(shown.includes('hush'), shown)
  t.true(shown.includes('http://10.0.0.1:8545') && shown.includes('30') && shown.includes('X-Key'))
})

test('whatever the key is, it is shown nowhere', (t) => {
  const key = fc.stringMatching(/^[A-Za-z0-9_-]{16,40}$/)
  const place = fc.constantFrom(
    (secret: string) => `https://${secret}@a.example/x`,
    (secret: string) => `https://me:${secret}@a.example`,
    (secret: string) => `https://a.example/v3/${secret}`,
    (secret: string) => `https://a.example/v3?key=${secret}`,
    (secret: string) => `https://a.example/v3#${secret}`,
  )
  fc.assert(
    fc.property(key, place, (secret, urlWith) => {
      const url = urlWith(secret)
      const shown = [
        printedUrl(url),
        originsOnly(`cannot reach ${url}: ECONNREFUSED`),
        originsOnly(JSON.stringify({ url })),
        withoutPartsOf(url, `no project ${secret} at ${url}`),
        JSON.stringify(printedSettings({ url })),
      ]
      for (const each of shown) t.false(each.includes(secret), each)
    }),
  )
})
