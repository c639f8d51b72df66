// What is published: which package has which of the built files, and what each is entered by.

export interface PackageShape {
  readonly description: string
  /** Names in `exports`, and the module behind each. */
  readonly entries: { readonly [name: string]: string }
  /** What is started and never imported. */
  readonly programs: readonly string[]
  readonly bin?: { readonly [command: string]: string }
}

export type PackageName =
  | '@uraiden/protocol'
  | '@uraiden/platform'
  | '@uraiden/browser'
  | '@uraiden/agent'
  | '@uraiden/receiver'
  | 'uraiden-pi'

export const shapes: { readonly [Name in PackageName]: PackageShape } = {
  '@uraiden/protocol': {
    description: 'What both sides of a µRaiden payment channel sign and say',
    entries: {
      '.': 'protocol/index',
      './bound': 'protocol/bound/index',
      './contracts': 'contracts/index',
    },
    programs: [],
  },
  '@uraiden/platform': {
    description:
      'What µRaiden agents and receivers need from the machine and the chain; not for use by itself',
    entries: {},
    programs: [],
  },
  '@uraiden/browser': {
    description:
      'Pays µRaiden receivers from a web page, with the wallet of the person in front of it',
    entries: { '.': 'browser/index' },
    programs: [],
  },
  '@uraiden/agent': {
    description:
      'Buys over HTTP and pays for every request, from a budget that nothing can overrun',
    entries: { '.': 'agent/index' },
    programs: [],
  },
  '@uraiden/receiver': {
    description:
      'Sells over HTTP by the request: a µRaiden paywall for node:http, fastify and express',
    entries: {
      '.': 'receiver/index',
      './http': 'receiver/http/node',
      './fastify': 'receiver/http/fastify',
      './express': 'receiver/http/express',
    },
    programs: ['receiver/signatures/worker'],
  },
  'uraiden-pi': {
    description:
      'Machine-to-machine payments for small devices: µRaiden payment channels for the Raspberry Pi',
    entries: {
      '.': 'index',
      './protocol': 'protocol/index',
      './browser': 'browser/index',
      './agent': 'agent/index',
      './receiver': 'receiver/index',
      './receiver/http': 'receiver/http/node',
      './receiver/fastify': 'receiver/http/fastify',
      './receiver/express': 'receiver/http/express',
      './x402': 'x402',
    },
    programs: ['agent/cli/main', 'receiver/cli/main', 'receiver/resources/upstream/teaser-worker'],
    bin: {
      'uraiden-agent': 'agent/cli/main',
      'uraiden-receiver': 'receiver/cli/main',
    },
  },
}

export const packageNames = Object.keys(shapes) as readonly PackageName[]

/** What is no code goes where the module is that reads it. */
export const companions: readonly (readonly [path: string, reader: string])[] = [
  ['agent/program/page/assets', 'agent/program/page/files'],
  ['receiver/web/assets', 'receiver/web/files'],
  ['receiver/signatures/libsecp256k1/COPYING', 'receiver/signatures/recovery'],
  ['receiver/postgres/migrations', 'receiver/postgres/schema'],
  ['contracts/deployments', 'contracts/deployments'],
  ['platform/bundled/ethers.NOTICES.txt', 'platform/bundled/ethers'],
]

/** Which package has a module of a folder, if the package named last reaches it; the first that fits. */
export const libraries: readonly (readonly [
  folder: string,
  name: PackageName,
  reader: PackageName,
])[] = [
  ...packageNames.flatMap((reader) =>
    ['protocol/', 'contracts/'].map((folder) => [folder, '@uraiden/protocol', reader] as const),
  ),
  ['browser/', '@uraiden/browser', '@uraiden/browser'],
  ['platform/', '@uraiden/platform', '@uraiden/agent'],
  ['platform/', '@uraiden/receiver', '@uraiden/receiver'],
  ['agent/', '@uraiden/agent', '@uraiden/agent'],
  ['receiver/', '@uraiden/receiver', '@uraiden/receiver'],
]
