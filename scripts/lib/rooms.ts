// npm run imports, after dependency-cruiser: folders are rooms, and rooms import one way. Finds circles
// of folders, and imports in agent/ and receiver/ that go up in the plan. A folder and the folder
// that holds it are two rooms, which dependency-cruiser's own scope of folders does not tell apart.
import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { cruise } from 'dependency-cruiser'

const top = [
  ...['protocol', 'contracts', 'browser', 'platform', 'agent', 'receiver'],
  ...['scripts', 'deploy', 'test', 'bench'],
]

/** The rooms of a big room, low to high: an import goes to an earlier room only. */
const plan: { readonly [bigRoom: string]: readonly string[] } = {
  agent: [
    ...[
      'agent/errors',
      'agent/budget',
      'agent/transport',
      'agent/channels',
      'agent/purchase',
      'agent/x402',
      'agent',
    ],
    ...['agent/discovery', 'agent/jobs/sinks', 'agent/jobs', 'agent/alerts', 'agent/proxy'],
    ...['agent/program/configuration', 'agent/program/control', 'agent/program/page'],
    ...['agent/program/home-assistant', 'agent/program/daemon'],
    ...['agent/program/page/web/chart', 'agent/program/page/web'],
    ...['agent/cli/text', 'agent/cli/doctor', 'agent/cli/commands', 'agent/cli'],
  ],
  receiver: [
    ...[
      'receiver/errors',
      'receiver/postgres',
      'receiver/signatures/libsecp256k1',
      'receiver/signatures',
      'receiver/channels',
      'receiver/cluster',
      'receiver/chain',
      'receiver/settlement',
    ],
    ...['receiver/core/watchtower', 'receiver/web', 'receiver/paywall', 'receiver/x402'],
    'receiver/core',
    ...['receiver/http', 'receiver/income', 'receiver/alerts'],
    ...['receiver/server/api', 'receiver/server/backup', 'receiver/server/admin', 'receiver/ops'],
    ...['receiver/resources/configuration', 'receiver/resources/command'],
    ...['receiver/resources/upstream', 'receiver/resources'],
    ...['receiver/server/openapi', 'receiver/server', 'receiver'],
    ...['receiver/program/discovery', 'receiver/tls', 'receiver/program'],
    'receiver/program/watchtower',
    ...['receiver/web/pages/dashboard', 'receiver/web/pages/paywall'],
    ...['receiver/cli/doctor', 'receiver/cli/commands', 'receiver/cli'],
  ],
}

/** Folders that builds fill: no rooms. */
const built = '^(agent/program/page|receiver/web)/assets/'

type Import = { readonly from: string; readonly to: string }

const room = (file: string): string => posix.dirname(file)
const crossesRooms = ({ from, to }: Import): boolean => room(from) !== room(to)

type Tree = { readonly files: readonly string[]; readonly imports: readonly Import[] }

const isOurs = (file: string): boolean => top.some((folder) => file.startsWith(`${folder}/`))

async function treeOfImports(): Promise<Tree> {
  const { output } = await cruise(
    top.filter((folder) => existsSync(folder)),
    { tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, exclude: built },
  )
  if (typeof output === 'string') throw new Error('dependency-cruiser answered with a text.')
  const modules = output.modules.filter(({ source }) => isOurs(source))
  const imports = modules.flatMap(({ source, dependencies }) =>
    dependencies.map(({ resolved }) => ({ from: source, to: resolved })),
  )
  return {
    files: modules.map(({ source }) => source),
    imports: imports.filter(({ to }) => isOurs(to)),
  }
}

function reachableFrom(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set<string>()
  const open = [start]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const neighbour of next.get(at) ?? []) {
      if (!reached.has(neighbour)) open.push(neighbour)
      reached.add(neighbour)
    }
  }
  return reached
}

/** The sets of rooms that all reach each other (strongly connected components of two rooms or more). */
function circles(imports: readonly Import[]): readonly ReadonlySet<string>[] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of imports.filter(crossesRooms)) {
    next.set(room(from), (next.get(room(from)) ?? new Set()).add(room(to)))
  }
  const reach = new Map([...next.keys()].map((start) => [start, reachableFrom(start, next)]))
  const found: Set<string>[] = []
  for (const [start, reached] of reach) {
    if (!reached.has(start) || found.some((circle) => circle.has(start))) continue
    found.push(new Set([...reached].filter((other) => reach.get(other)?.has(start))))
  }
  return found
}

function againstPlan(bigRoom: string, imports: readonly Import[]): readonly string[] {
  const rooms = plan[bigRoom] ?? []
  const inside = (file: string) => file.startsWith(`${bigRoom}/`)
  return imports
    .filter((each) => inside(each.from) && inside(each.to) && crossesRooms(each))
    .filter(({ from, to }) => rooms.indexOf(room(to)) > rooms.indexOf(room(from)))
    .map(({ from, to }) => `Against the plan: ${from} imports ${to}`)
}

function withoutPlace(files: readonly string[]): readonly string[] {
  const rooms = new Set(files.map(room))
  return Object.entries(plan).flatMap(([bigRoom, planned]) =>
    [...rooms]
      .filter((folder) => `${folder}/`.startsWith(`${bigRoom}/`) && !planned.includes(folder))
      .map((folder) => `Not in the plan: ${folder}. Give it a place in scripts/lib/rooms.ts.`),
  )
}

function circleLines(circle: ReadonlySet<string>, imports: readonly Import[]): readonly string[] {
  const within = imports.filter(
    (each) => crossesRooms(each) && circle.has(room(each.from)) && circle.has(room(each.to)),
  )
  return [
    `Circle of folders: ${[...circle].sort().join(', ')}`,
    ...within.map(({ from, to }) => `  ${from} imports ${to}`),
  ]
}

const { files, imports } = await treeOfImports()
const found = circles(imports)
const faults = [
  ...found.flatMap((circle) => circleLines(circle, imports)),
  ...Object.keys(plan).flatMap((bigRoom) => againstPlan(bigRoom, imports)),
  ...withoutPlace(files),
]
const count =
  found.length === 0 ? 'no circle' : `${found.length} circle${found.length > 1 ? 's' : ''}`
process.stdout.write(
  [...faults, `${new Set(files.map(room)).size} folders, ${count}`, ''].join('\n'),
)
if (faults.length > 0) process.exitCode = 1
