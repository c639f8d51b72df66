// The programs of the packages, run from their unpacked trees: by an emulated processor, or by this one.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PlatformName } from '../../deploy/pi/packaging/platforms.ts'
import type { CliResult } from './cli.ts'

export interface Machine {
  readonly name: PlatformName
  /** What runs its programs here. */
  readonly emulator: readonly string[]
  /** What its Node says of itself. */
  readonly node: string
}

const machines: { readonly [Name in PlatformName]: Machine } = {
  arm64: {
    name: 'arm64',
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    node: 'v24.21.0 arm64',
  },
  armhf: {
    name: 'armhf',
    emulator: ['qemu-arm-static', '-L', '/usr/arm-linux-gnueabihf'],
    node: 'v20.11.0 arm',
  },
  amd64: { name: 'amd64', emulator: [], node: 'v24.21.0 x64' },
}

export function machineOf(name: PlatformName): Machine {
  return machines[name]
}

/** In the tree that `scripts/build-pi --tree` has made. */
export function folderOf({ name }: Machine, program: string): string {
  const path = `../../dist-pi/tree-${program}-${name}/usr/lib/${program}`
  return fileURLToPath(new URL(path, import.meta.url))
}

/** As the launcher does it. */
export function launch(machine: Machine, program: string): readonly string[] {
  const folder = folderOf(machine, program)
  return [...machine.emulator, join(folder, 'node'), join(folder, `${program}.cjs`)]
}

/** Nothing of this machine's own configuration reaches it. */
export function runIn(cwd: string, command: readonly string[]): Promise<CliResult> {
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, URAIDEN_AGENT_CONFIG: 'agent.yaml' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}
