// A web page of somebody else's that has a person's browser ask a receiver in the house.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { receiverApi } from '../../../receiver/index.ts'
import { givenChannel } from '../../support/channel.ts'
import { rawRequest } from '../../support/raw-http.ts'

async function given(t: ExecutionContext, hosts?: readonly string[]) {
  const system = await givenChannel(t, { server: { hosts } })
  await system.pay(5n)
  const api = await receiverApi(system.receiver, { hosts })
  const server = createServer((request, response) =>
    api(request, response, () => void response.end()),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const ports = [Number(new URL(system.base).port), (server.address() as AddressInfo).port]
  const { sender, openBlock } = system.channel
  const path = `/api/1/channels/${sender}/${openBlock}`
  const ask = (port: number, method: string, headers: Record<string, string>, at = path) =>
    rawRequest(port, {
      method,
      path: at,
      headers: {
        ...(method !== 'GET' && {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': '9',
        }),
        ...headers,
      },
      ...(method !== 'GET' && { body: 'balance=5' }),
    })
  const isOpen = () => system.receiver.book.ledger(sender, openBlock).agreedToClose === false
  return { ...system, ports, ask, isOpen }
}

test('a page under a name that leads here ends no channel and changes nothing', async (t) => {
  const { ports, ask, isOpen } = await given(t)
  for (const port of ports) {
    const rebound = { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }
    for (const [method, path] of [
      ['DELETE', undefined],
      ['PUT', '/api/1/channels/0x00/1/request-key'],
      ['POST', '/api/1/relay/close'],
      ['POST', '/api/1/admin/sessions'],
    ] as const) {
      const refused = await ask(port, method, rebound, path)
      t.is(refused.status, 421, method)
      t.like(JSON.parse(refused.body), { code: 'host_unknown' })
      t.regex(refused.body, /Host is .*evil\.example.* hosts in the receiver/)
    }
    const over = { Host: 'evil.example', 'Sec-Fetch-Site': 'same-origin' }
    t.is((await ask(port, 'DELETE', over)).status, 421)
    // What can be read is read by everybody in the house, and paywall pages have to load.
    t.is((await ask(port, 'GET', rebound)).status, 200)
  }
  t.true(isOpen())
})

test('a page of another site changes nothing either', async (t) => {
  const { ports, ask, isOpen } = await given(t)
  for (const port of ports) {
    const Host = `127.0.0.1:${port}`
    for (const headers of [
      { Host, Origin: 'http://evil.example' },
      { Host, Origin: 'http://198.51.100.1' },
      { Host, Origin: 'null' },
      { Host, Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      { Host, 'Sec-Fetch-Site': 'cross-site' },
      { Host, 'Sec-Fetch-Site': 'same-site' },
    ]) {
      const refused = await ask(port, 'DELETE', headers)
      t.deepEqual([refused.status, JSON.parse(refused.body).code], [403, 'other_site'])
    }
  }
  t.true(isOpen())
})

test('a page of a configured origin may, and no other', async (t) => {
  const crossOrigins = ['https://news.example']
  const system = await givenChannel(t, { server: { crossOrigins } })
  await system.pay(5n)
  const { sender, openBlock } = system.channel
  const close = (origin: string) =>
    rawRequest(Number(new URL(system.base).port), {
      method: 'DELETE',
      path: `/api/1/channels/${sender}/${openBlock}?balance=5`,
      headers: { Host: 'sensor.example', Origin: origin, 'Sec-Fetch-Site': 'cross-site' },
    })
  t.is((await close('https://news.example.evil.example')).status, 421)
  t.is((await close('http://news.example')).status, 421)
  t.is((await close('https://news.example')).status, 200)
})

const allowed: readonly (readonly [string, Record<string, string>, (readonly string[])?])[] = [
  ['the page at an address', { Host: '127.0.0.1:5000', Origin: 'http://127.0.0.1:5000' }],
  ['the page in the local network', { Host: 'pi.local', Origin: 'http://pi.local' }],
  ['no browser, under whatever name', { Host: 'shop.example.org' }],
  [
    'the page at a configured name',
    { Host: 'shop.example.org', Origin: 'https://shop.example.org' },
    ['shop.example.org'],
  ],
  [
    'the page behind a proxy that changes Host, https',
    { Host: '127.0.0.1:5000', Origin: 'https://x.example', 'Sec-Fetch-Site': 'same-origin' },
  ],
  [
    'the page behind a proxy that changes Host, under a configured name',
    { Host: '127.0.0.1:5000', Origin: 'http://shop.example.org' },
    ['shop.example.org'],
  ],
  [
    'whoever it is, where all are allowed',
    { Host: 'x.example', Origin: 'http://y.example' },
    ['*'],
  ],
]
for (const [who, headers, hosts] of allowed) {
  test(`${who} closes a channel as before`, async (t) => {
    const { ports, ask } = await given(t, hosts)
    for (const port of ports) t.is((await ask(port, 'DELETE', headers)).status, 200)
  })
}

test('with hosts configured, nothing is answered under another name', async (t) => {
  const { ports, base } = await given(t, ['shop.example.org'])
  const [port = 0] = ports
  for (const path of ['/reading', '/api/1/channels/', '/cm', '/nothing']) {
    const refused = await rawRequest(port, { path, headers: { Host: 'evil.example' } })
    t.is(refused.status, 421, path)
  }
  t.is((await fetch(`${base}/reading`)).status, 402)
  for (const Host of ['shop.example.org:5000', 'localhost', 'pi.local']) {
    t.is((await rawRequest(port, { path: '/reading', headers: { Host } })).status, 402, Host)
  }
})
