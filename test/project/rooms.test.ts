// The check of the rooms is itself checked: a planted circle of folders and a planted import against
// the plan must be found.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const program = fileURLToPath(new URL('../../scripts/lib/rooms.ts', import.meta.url))

type Files = { readonly [path: string]: string }
type Outcome = { readonly passes: boolean; readonly says: readonly string[] }

async function check(files: Files): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-rooms-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const run = promisify(execFile)
    const ran = await run(process.execPath, [program], { cwd: folder }).then(
      ({ stdout }) => ({ passes: true, stdout }),
      ({ stdout }) => ({ passes: false, stdout: String(stdout) }),
    )
    return { passes: ran.passes, says: ran.stdout.trimEnd().split('\n') }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const cases: readonly {
  readonly given: string
  readonly files: Files
  readonly outcome: Outcome
}[] = [
  {
    given: 'imports that only go down the plan',
    files: {
      'agent/index.ts': "import './purchase/a.ts'\nimport '../protocol/c.ts'",
      'agent/purchase/a.ts': "import './b.ts'",
      'agent/purchase/b.ts': "import '../../protocol/c.ts'",
      'protocol/c.ts': '',
    },
    outcome: { passes: true, says: ['3 folders, no circle'] },
  },
  {
    given: 'folders that import each other by different files',
    files: {
      'platform/chain/a.ts': "import '../keys/b.ts'",
      'platform/chain/c.ts': '',
      'platform/keys/b.ts': '',
      'platform/keys/d.ts': "import '../chain/c.ts'",
      'platform/web/e.ts': "import '../keys/b.ts'",
    },
    outcome: {
      passes: false,
      says: [
        'Circle of folders: platform/chain, platform/keys',
        '  platform/chain/a.ts imports platform/keys/b.ts',
        '  platform/keys/d.ts imports platform/chain/c.ts',
        '3 folders, 1 circle',
      ],
    },
  },
  {
    given: 'a circle of three folders, one of them within another, closed by types alone',
    files: {
      'scripts/lib/a.ts': "import './deep/b.ts'",
      'scripts/lib/deep/b.ts': "import '../../../bench/c.ts'",
      'bench/c.ts': "import type { D } from '../scripts/lib/d.ts'\nexport const c = (d: D) => d",
      'scripts/lib/d.ts': 'export type D = string',
    },
    outcome: {
      passes: false,
      says: [
        'Circle of folders: bench, scripts/lib, scripts/lib/deep',
        '  bench/c.ts imports scripts/lib/d.ts',
        '  scripts/lib/a.ts imports scripts/lib/deep/b.ts',
        '  scripts/lib/deep/b.ts imports bench/c.ts',
        '3 folders, 1 circle',
      ],
    },
  },
  {
    given: 'an import that goes up the plan without making a circle',
    files: {
      'receiver/channels/a.ts': "import '../http/b.ts'",
      'receiver/http/b.ts': '',
    },
    outcome: {
      passes: false,
      says: [
        'Against the plan: receiver/channels/a.ts imports receiver/http/b.ts',
        '2 folders, no circle',
      ],
    },
  },
  {
    given: 'a room without a place in the plan',
    files: { 'agent/shed/a.ts': '' },
    outcome: {
      passes: false,
      says: [
        'Not in the plan: agent/shed. Give it a place in scripts/lib/rooms.ts.',
        '1 folders, no circle',
      ],
    },
  },
]

for (const { given, files, outcome } of cases) {
  test(`given ${given}, the check ${outcome.passes ? 'passes' : 'says so and fails'}`, async (t) => {
    t.deepEqual(await check(files), outcome)
  })
}
