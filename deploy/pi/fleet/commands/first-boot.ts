// provision first-boot

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPrivateFile } from '../../../../platform/keys/private-file.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import {
  cloudInitFiles,
  firstRunCommandLine,
  firstRunFiles,
  type TextFile,
} from '../first-boot/files.ts'
import { wpaKey } from '../first-boot/wifi.ts'
import type { FirstBootSettings } from '../hosts/first-boot-schema.ts'
import {
  chosenHosts,
  type HostSettings,
  type Inventory,
  loadInventory,
} from '../hosts/inventory.ts'
import { choosePackage, findPackages, sha256 } from '../hosts/packages.ts'
import { readTemplate, renderConfig } from '../hosts/template.ts'

export interface FirstBootCommand {
  readonly inventory: string
  readonly into: string
  readonly flavour: 'cloud-init' | 'firstrun'
  readonly architecture: string
  readonly to?: string
}

export async function firstBoot(name: string, command: FirstBootCommand): Promise<'ok'> {
  const inventory = await loadInventory(command.inventory)
  const { host, settings } = demandSettings(inventory, name)
  const file = choosePackage(
    await findPackages(inventory.packages),
    command.architecture,
    command.to,
  )
  const wifiKey = await readWifiKey(inventory, settings)
  const first = { host: name, settings, wifiKey, file, sha256: await sha256(file.path) }
  const flavoured = command.flavour === 'cloud-init' ? cloudInitFiles(first) : firstRunFiles(first)
  const files = [...flavoured, ...(await commonFiles(inventory, host))]
  const folder = resolve(command.into)
  for (const { name, text } of files) await write(join(folder, name), text)
  await copyFile(file.path, join(folder, 'uraiden', file.name))
  if (command.flavour === 'firstrun') await extendCommandLine(folder)
  const say = (line: string) => process.stdout.write(`${line}\n`)
  for (const { name } of files) say(join(command.into, name))
  say(join(command.into, 'uraiden', file.name))
  return 'ok'
}

async function commonFiles(
  { template }: Inventory,
  host: HostSettings,
): Promise<readonly TextFile[]> {
  const source = { file: template, text: await readTemplate(template) }
  const script = fileURLToPath(new URL('../../host.sh', import.meta.url))
  return [
    { name: 'uraiden/host.sh', text: await readFile(script, 'utf8') },
    ...(['credential', 'file'] as const).map((store) => ({
      name: `uraiden/agent.${store}.yaml`,
      text: renderConfig(source, host, store),
    })),
  ]
}

async function readWifiKey(
  { file }: Inventory,
  { wifi }: FirstBootSettings,
): Promise<string | undefined> {
  if (wifi === undefined) return undefined
  const text = await readPrivateFile(resolve(dirname(file), wifi.passwordFile))
  return wpaKey(wifi.ssid, text.split(/\r?\n/, 1)[0] ?? '')
}

/** Only where the boot partition of a card is: the rest of the line is the card's own. */
async function extendCommandLine(folder: string): Promise<void> {
  const path = join(folder, 'cmdline.txt')
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before === undefined) {
    process.stderr.write(
      `There is no cmdline.txt in ${folder}. Append to the one line of the card's: ${firstRunCommandLine}\n`,
    )
  } else if (!before.includes(firstRunCommandLine)) {
    await write(path, `${before.trim()} ${firstRunCommandLine}\n`)
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // The network's key is in some of them. A boot partition knows no modes.
  await writeFile(path, text, { mode: 0o600 })
}

function demandSettings(inventory: Inventory, name: string) {
  const { firstBoot, file } = inventory
  const [host] = chosenHosts(inventory, [name])
  if (firstBoot === undefined || host === undefined) {
    throw toolError({
      code: 'config_invalid',
      message: `${file} has no firstBoot.`,
      hint: 'Add firstBoot with sshKeys: docs/guides/provisioning.md shows it.',
    })
  }
  if (host.importKey === undefined) return { host, settings: firstBoot }
  throw toolError({
    code: 'first_boot_key',
    message: `${host.name} is to get a key of its own, which is not put on a boot partition.`,
  })
}
