// docs/tutorials/raspberry-pi.md: what is done on the PC, at the addresses of the page. test/provision sets a Pi up.
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { loadInventory } from '../../../deploy/pi/fleet/hosts/inventory.ts'
import { findGeth } from '../../lab/geth/binary.ts'
import { blocksIn } from '../../support/blocks/find.ts'
import { notPrinted } from '../../support/blocks/printed.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { openTerminals } from '../../support/terminals.ts'
import { needing, tools } from '../../support/tools.ts'

const page = 'docs/tutorials/raspberry-pi.md'
const root = fileURLToPath(new URL('../../..', import.meta.url))

needing(
  test,
  tools.geth,
  tools.script,
  tools.ownNetwork,
)(`${page}: chain, contracts, receiver and inventory by its own lines`, async (t) => {
  const home = await temporaryFolder(t)
  const path = `PATH=${dirname(findGeth(process.env) ?? '')}:$PATH\n`
  const terminals = await openTerminals(home)
  t.teardown(() => terminals.end())
  const { type } = terminals.shell()
  await type(`${path}ip address add 192.168.1.104/32 dev lo\n`)
  let printed = ''
  let compared = 0
  for (const { language, text: given, place } of blocksIn(
    page,
    await readFile(root + page, 'utf8'),
  )) {
    if (language === 'text' && printed !== '') {
      const said = printed.replaceAll(`${home}/`, '')
      t.deepEqual(notPrinted(given.trimEnd(), said, home), [], `${place}\n${said}`)
      compared++
    }
    printed = ''
    if (language !== 'sh') continue
    // The folder of the page is not made in the checkout.
    const text = given.replaceAll(/\btutorial\b/g, `${home}/tutorial`)
    const ready = readyLine(text)
    if (ready === undefined) printed = await type(text)
    else {
      const contract = await type('echo "CONTRACT=$CONTRACT"\n')
      const terminal = await terminals.open(`${path}${contract}${text}`)
      await terminal.shows(ready)
      printed = terminal.screen()
    }
  }
  t.is(compared, 4)
  const { hosts } = await loadInventory(`${home}/tutorial/fleet.yaml`)
  t.deepEqual(
    hosts.map(({ name, address }) => [name, address]),
    [['pi', '192.168.1.105']],
  )
})

/** What a program shows that stays in its terminal. */
function readyLine(text: string): RegExp | undefined {
  if (text.includes('geth --dev')) return /HTTP server started/
  return text.includes('start --host') ? /^sells .*\n(?!sells)/m : undefined
}
