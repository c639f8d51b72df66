// Who may ask the agent's page for what, and what of the daemon it tells.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadAgentConfig } from '../../../../agent/program/configuration/config.ts'
import {
  type Asked,
  checkAction,
  checkHost,
  checkOrigin,
} from '../../../../agent/program/page/guard.ts'
import { createHoldings } from '../../../../agent/program/page/holdings.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { until } from '../../../support/until.ts'

const own = '127.0.0.1:8403'

const hosts: readonly (readonly [string | undefined, boolean])[] = [
  ['127.0.0.1', true],
  [own, true],
  ['localhost:8403', true],
  ['LocalHost:1', true],
  ['127.0.0.1:65535', true],
  [undefined, false],
  ['', false],
  ['127.0.0.2:8403', false],
  ['127.0.0.1.evil.example:8403', false],
  ['evil.example', false],
  ['evil.example@127.0.0.1', false],
  ['localhost.evil.example', false],
  ['127.0.0.1:8403:1', false],
  ['127.0.0.1:x', false],
  ['[::1]:8403', false],
  ['0.0.0.0:8403', false],
  ['2130706433', false],
]
for (const [host, isOwn] of hosts) {
  test(`the host ${host} is ${isOwn ? 'our own' : 'refused'}`, (t) => {
    if (isOwn) t.notThrows(() => checkHost(host))
    else t.throws(() => checkHost(host), { code: 'page_wrong_host' })
  })
}

const token = 'a-token-long-enough'
const ours: Asked = {
  site: 'same-origin',
  origin: `http://${own}`,
  host: own,
  contentType: 'application/json',
  authorization: `Bearer ${token}`,
}

const actions: readonly (readonly [string, Partial<Asked>, string | undefined])[] = [
  ['our own page with the token', {}, undefined],
  ['a program with the token', { site: undefined, origin: undefined }, undefined],
  ['a charset beside the type', { contentType: 'application/json; charset=utf-8' }, undefined],
  ['a page of another site', { site: 'cross-site' }, 'page_other_origin'],
  ['a page of another port of this machine', { site: 'same-site' }, 'page_other_origin'],
  [
    'an old browser on a page of another port',
    { site: undefined, origin: 'http://127.0.0.1:8404' },
    'page_other_origin',
  ],
  ['a file in an old browser', { site: undefined, origin: 'null' }, 'page_other_origin'],
  ['a form', { contentType: 'application/x-www-form-urlencoded' }, 'page_not_json'],
  ['a form as text', { contentType: 'text/plain; a=application/json' }, 'page_not_json'],
  ['no type', { contentType: undefined }, 'page_not_json'],
  ['a type that begins alike', { contentType: 'application/jsonp' }, 'page_not_json'],
  ['no token', { authorization: undefined }, 'page_token_missing'],
  ['an empty token', { authorization: 'Bearer ' }, 'page_token_missing'],
  ['another scheme', { authorization: `Basic ${token}` }, 'page_token_missing'],
  ['a wrong token', { authorization: 'Bearer a-token-long-enougH' }, 'page_token_wrong'],
  ['half of the token', { authorization: `Bearer ${token.slice(0, -1)}` }, 'page_token_wrong'],
  ['more than the token', { authorization: `Bearer ${token}x` }, 'page_token_wrong'],
]
for (const [name, change, code] of actions) {
  test(`an action of ${name}: ${code ?? 'allowed'}`, (t) => {
    const ask = () => checkAction({ ...ours, ...change }, token)
    if (code === undefined) t.notThrows(ask)
    else t.throws(ask, { code })
  })
}

test('without a configured token nobody acts, whatever is sent', (t) => {
  for (const authorization of [undefined, 'Bearer ', 'Bearer undefined', `Bearer ${token}`]) {
    t.throws(() => checkAction({ ...ours, authorization }, undefined), { code: 'page_read_only' })
  }
})

test('data is not for pages of other sites', (t) => {
  t.notThrows(() => checkOrigin(ours))
  t.notThrows(() => checkOrigin({ ...ours, site: 'none', origin: undefined }))
  t.throws(() => checkOrigin({ ...ours, site: 'cross-site' }), { code: 'page_other_origin' })
})

const places: readonly (readonly [string, number | undefined])[] = [
  ['{}', 8403],
  ["{ listen: '127.0.0.1:0' }", 0],
  ['{ listen: 65535 }', 65_535],
  ["{ listen: 'localhost:8500' }", 8500],
  ["{ listen: '127.0.0.1:65536' }", undefined],
  ["{ listen: '0.0.0.0:8403' }", undefined],
  ["{ listen: '127.0.0.2:8403' }", undefined],
  ["{ listen: '192.168.1.9:8403' }", undefined],
  ["{ listen: '[::1]:8403' }", undefined],
  ["{ listen: '[::]:8403' }", undefined],
  ["{ listen: 'raspberrypi:8403' }", undefined],
  ["{ listen: '127.0.0.1' }", undefined],
]
for (const [page, port] of places) {
  test(`page: ${page} is ${port ?? 'refused'}`, async (t) => {
    const file = join(await temporaryFolder(t), 'agent.yaml')
    await writeFile(
      file,
      `rpc: http://127.0.0.1:8545
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: key
page: ${page}
`,
    )
    if (port !== undefined) t.is((await loadAgentConfig(file, {})).page?.listen.port, port)
    else {
      await t.throwsAsync(loadAgentConfig(file, {}), {
        code: 'config_invalid',
        message: /agent\.yaml:4 page\.listen: "[^"]+" is not a port on 127\.0\.0\.1\./,
      })
    }
  })
}

test('the chain is asked while somebody looks, not more often, and its silence is said', async (t) => {
  let now = 0
  let asked = 0
  let answers = true
  const holdings = createHoldings({
    read: async () => {
      asked++
      if (!answers) throw new Error('The node does not answer.')
      return { tokens: BigInt(asked), ether: 2n }
    },
    fresh: 100,
    now: () => now,
  })
  t.is(asked, 0)
  t.deepEqual(holdings.look(), { tokens: null, ether: null, problem: null })
  await until(() => holdings.look().tokens === '1')
  now = 99
  holdings.look()
  t.is(asked, 1)
  now = 100
  holdings.look()
  holdings.look()
  t.is(asked, 2)
  await until(() => holdings.look().tokens === '2')
  answers = false
  holdings.forget()
  holdings.look()
  await until(() => holdings.look().problem !== null)
  t.deepEqual(holdings.look(), { tokens: '2', ether: '2', problem: 'The node does not answer.' })
})
