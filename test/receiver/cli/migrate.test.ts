// uraiden-receiver migrate as a person runs it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { channelName, emptyLedger } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { sharedPostgres, stateOwner, withPostgres } from '../../support/postgres.ts'
import { runReceiver } from '../../support/receiver-program.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

onPostgres(
  'a state goes into the configured database and back into a folder, and the sums are said',
  async (t) => {
    const folder = await temporaryFolder(t)
    const running = await server()
    const url = running.url(await running.createDatabase())
    const store = await openStore(join(folder, 'old'), stateOwner)
    const claims = { highest: 12n, unclaimed: [] }
    const name = channelName(stateOwner.account, 3)
    await store.saveLedgers(new Map([[name, { ...emptyLedger, claims }]]))
    await store.close()
    await writeFile(
      join(folder, 'receiver.yaml'),
      JSON.stringify({ contract: stateOwner.contract, key: 'key', state: url }),
    )
    const migrate = (...places: readonly string[]) =>
      runReceiver(folder, ['--config', 'receiver.yaml', 'migrate', ...places])

    const there = await migrate('--from', 'old')
    t.is(there.code, 0, there.stderr)
    t.regex(
      there.stdout,
      /^Moved 0 channels, 1 of them .*: 12 units\.\nThe same in both places: SHA-256 [0-9a-f]{64}\./,
    )
    const again = await migrate('--from', 'old')
    t.not(again.code, 0)
    t.regex(again.stderr, /was moved away/)
    const back = await migrate('--to', 'new', '--json')
    t.like(JSON.parse(back.stdout), { ledgers: 1, balanceSum: '12' })
    t.is((await (await openStore(join(folder, 'new'), stateOwner)).readLedgers()).size, 1)

    const both = await migrate('--from', 'old', '--to', 'new')
    t.is(both.code, 2)
    t.regex(both.stderr, /Both places are folders/)
    const nowhere = await migrate('--to', 'third')
    t.regex(nowhere.stderr, /was moved away/)
  },
)
