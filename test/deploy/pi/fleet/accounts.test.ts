// Which account a host has: what it says itself is believed once.
import { join } from 'node:path'
import test from 'ava'
import { createAccountList, readAccounts } from '../../../../deploy/pi/fleet/hosts/accounts.ts'
import type { Host } from '../../../../deploy/pi/fleet/hosts/host.ts'
import { retireHost } from '../../../../deploy/pi/fleet/hosts/retire.ts'
import type { ChainClient } from '../../../../platform/chain/index.ts'
import { parseAddress } from '../../../../protocol/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const account = (digits: string) => parseAddress(`0x${digits.padStart(40, '0')}`)

test('a host that names another account stops, until a person says that it was set up anew', async (t) => {
  const file = join(await temporaryFolder(t), 'fleet.accounts.json')
  const list = createAccountList({ file, renewed: [] })
  t.true(await list.register('kitchen', account('a1')))
  t.false(await list.register('kitchen', account('a1')))
  await t.throwsAsync(list.register('kitchen', account('a2')), {
    code: 'account_changed',
    message: /kitchen says that its account is 0x0+A2; until now it was 0x0+A1/i,
  })
  t.true(await list.register('attic', account('a3')))
  t.deepEqual(
    (await readAccounts(file)).map(({ host }) => host),
    ['kitchen', 'attic'],
  )

  const renewed = createAccountList({ file, renewed: ['kitchen'] })
  t.true(await renewed.register('kitchen', account('a2')))
  await t.throwsAsync(renewed.register('attic', account('a2')), { code: 'account_changed' })
  // There may be money in the former one.
  t.deepEqual(
    (await readAccounts(file)).map(({ host, address }) => [host, address]),
    [
      ['kitchen', account('a1')],
      ['attic', account('a3')],
      ['kitchen', account('a2')],
    ],
  )
  // Nor may it go back to what it was without a question.
  await t.throwsAsync(list.register('kitchen', account('a1')), { code: 'account_changed' })
})

test('a host that names an empty account is not purged for it', async (t) => {
  const asked: string[] = []
  const host = new Proxy({} as Host, {
    get: (_, name) => async () => {
      asked.push(String(name))
      if (name === 'facts') return { version: '1.0.0', key: true }
      return name === 'address' ? account('a2') : []
    },
  })
  const listed = { host: 'kitchen', address: account('a1'), since: '' }
  const retired = retireHost(Object.assign(Object.create(host), { name: 'kitchen' }), {
    to: account('b0'),
    channels: 'together',
    timeout: 0,
    interval: 1,
    software: 'goes',
    chain: {} as ChainClient,
    accounts: [listed],
    say: () => undefined,
  })
  await t.throwsAsync(retired, { code: 'account_changed' })
  t.false(asked.includes('purge'))
})
