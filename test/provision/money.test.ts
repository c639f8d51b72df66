// The whole life of a fleet's money: funded, spent, and taken home from open channels.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { givenFleet, runProvision } from '../support/provision.ts'
import { price } from '../support/system.ts'

const home = '0x00000000000000000000000000000000000000A1'

test('funded once, spent, closed with and without the receiver, and all of it comes home', async (t) => {
  const fleet = await givenFleet(t, ['attic', 'kitchen'])
  const { folder, json, container, system } = fleet
  const { chain, tokensOf } = system
  t.is((await json('apply', '--accept-new')).code, 0)
  const listed = JSON.parse(await readFile(join(folder, 'fleet.accounts.json'), 'utf8'))
  const addressOf = (name: string): string =>
    listed.find(({ host }: { host: string }) => host === name)?.address ?? ''

  // When they are funded, twice.
  const dry = await json('fund', '--dry-run')
  t.is(dry.said.tokens.transfers.length, 2, dry.stderr)
  t.is(await tokensOf(addressOf('attic')), 0n)
  const funded = await json('fund')
  t.is(funded.code, 0, funded.stdout + funded.stderr)
  t.is(funded.said.sent.length, 4)
  t.is(await tokensOf(addressOf('attic')), 500n)
  t.is(await tokensOf(addressOf('kitchen')), 500n)
  t.deepEqual((await json('fund')).said.sent, [])
  t.is((await json('fund', '--history')).said.sent.length, 4)

  // When both have bought.
  for (const name of ['attic', 'kitchen']) {
    const bought = await container(name).inside(
      'runuser -u uraiden-agent -- uraiden-agent get shop/reading',
    )
    t.is(bought, '{"celsius":21.4}')
  }
  const { said } = await json('status')
  for (const host of said.hosts) {
    t.like(host, { ok: true, problems: [], payments: 1 }, JSON.stringify(host))
    t.is(host.channels.length, 1)
  }
  const table = await runProvision(folder, 'status')
  t.regex(table.stdout, /^HOST +VERSION.*\nattic +1\.0\.0 +healthy +1 /)

  // When one is retired with its receiver, what it has not spent is home.
  const retired = await json('retire', 'kitchen', '--sweep-to', home, '--purge')
  t.is(retired.code, 0, retired.stdout + retired.stderr)
  t.is(await tokensOf(home), 500n - price)
  t.is(await tokensOf(addressOf('kitchen')), 0n)
  t.true((await chain.provider.getBalance(home)) > 0n)
  const left =
    'ls -d /var/lib/uraiden-agent /usr/bin/uraiden-agent /etc/credstore.encrypted/* 2>/dev/null || true'
  t.is(await container('kitchen').inside(left), '')

  // When the other's receiver is gone: not without being told, and then after the challenge period.
  await system.server.close()
  const refused = await json('retire', 'attic', '--sweep-to', home, '--purge')
  t.is(refused.code, 1)
  t.is(refused.said.hosts[0].error, 'channels_not_closed')
  const early = await json(
    ...['retire', 'attic', '--sweep-to', home, '--purge', '--uncooperative', '--timeout', '0'],
  )
  t.is(early.said.hosts[0].error, 'challenge_period_runs')
  t.regex(await container('attic').inside(left), /uraiden-agent/)
  t.is(await tokensOf(home), 500n - price)
  await chain.mine(501)
  const late = await json('retire', 'attic', '--sweep-to', home)
  t.is(late.code, 0, late.stdout + late.stderr)
  t.is(await tokensOf(home), 2n * (500n - price))
  const disabled = 'systemctl is-enabled uraiden-agent; systemctl is-active uraiden-agent; true'
  t.is(await container('attic').inside(disabled), 'disabled\ninactive\n')
  t.regex(await container('attic').inside('ls /var/lib/uraiden-agent/key.json'), /key\.json/)
})
