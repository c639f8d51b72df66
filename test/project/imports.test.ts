// The check of the import arrows is itself checked: each rule must find its own violation.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const root = fileURLToPath(new URL('../..', import.meta.url))
const config = join(root, '.dependency-cruiser.json')
const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

type Files = { readonly [path: string]: string }

const violations: readonly { readonly rule: string; readonly files: Files }[] = [
  {
    rule: 'no-cycles',
    files: {
      'agent/a.ts': "import { b } from './b.ts'\nexport const a = (): unknown => b",
      'agent/b.ts': "import { a } from './a.ts'\nexport const b = (): unknown => a",
    },
  },
  {
    rule: 'protocol-imports-nothing-of-ours',
    files: { 'protocol/a.ts': "import '../agent/b.ts'", 'agent/b.ts': '' },
  },
  {
    rule: 'protocol-runs-in-a-browser',
    files: { 'protocol/a.ts': "import 'node:fs'" },
  },
  {
    rule: 'contracts-import-nothing-of-ours',
    files: { 'contracts/a.ts': "import '../protocol/b.ts'", 'protocol/b.ts': '' },
  },
  {
    rule: 'browser-imports-protocol-and-contracts-only',
    files: { 'browser/a.ts': "import '../platform/b.ts'", 'platform/b.ts': '' },
  },
  { rule: 'browser-runs-in-a-browser', files: { 'browser/a.ts': "import 'node:fs'" } },
  {
    rule: 'pages-import-no-server',
    files: { 'receiver/web/pages/a.ts': "import '../../b.ts'", 'receiver/b.ts': '' },
  },
  {
    rule: 'only-pages-import-browser',
    files: { 'receiver/a.ts': "import '../browser/b.ts'", 'browser/b.ts': '' },
  },
  {
    rule: 'platform-imports-protocol-and-contracts-only',
    files: { 'platform/a.ts': "import '../agent/b.ts'", 'agent/b.ts': '' },
  },
  {
    rule: 'agent-never-imports-receiver',
    files: { 'agent/a.ts': "import '../receiver/b.ts'", 'receiver/b.ts': '' },
  },
  {
    rule: 'receiver-never-imports-agent',
    files: { 'receiver/a.ts': "import '../agent/b.ts'", 'agent/b.ts': '' },
  },
  {
    rule: 'scripts-never-import-benchmarks',
    files: { 'scripts/a.ts': "import '../bench/b.ts'", 'bench/b.ts': '' },
  },
  {
    rule: 'nothing-imports-tests',
    files: { 'scripts/a.ts': "import '../test/b.ts'", 'test/b.ts': '' },
  },
  {
    rule: 'no-development-tool-in-the-product',
    files: {
      'agent/a.ts': "import 'tool'",
      'node_modules/tool/index.js': '',
      'node_modules/tool/package.json': '{ "name": "tool", "version": "1.0.0" }',
      'package.json': '{ "devDependencies": { "tool": "1.0.0" } }',
    },
  },
  { rule: 'not-resolvable', files: { 'agent/a.ts': "import './missing.ts'" } },
]

async function cruise(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-imports-'))
  try {
    await writeFile(join(folder, 'tsconfig.json'), '{}')
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const sources = Object.keys(files).filter((path) => path.endsWith('.ts'))
    const rooms = new Set(sources.map((path) => dirname(path)))
    const run = promisify(execFile)
    const args = [depcruise, '--config', config, '--output-type', 'json', ...rooms]
    const ran = await run(process.execPath, args, { cwd: folder }).catch((error) => error)
    return ran.stdout
  } finally {
    await rm(folder, { recursive: true })
  }
}

function brokenRules(report: string): readonly string[] {
  const { summary } = JSON.parse(report) as {
    summary: { violations: readonly { rule: { name: string } }[] }
  }
  return [...new Set(summary.violations.map(({ rule }) => rule.name))]
}

for (const { rule, files } of violations) {
  test(`the check finds a violation of ${rule}, and of nothing else`, async (t) => {
    t.deepEqual(brokenRules(await cruise(files)), [rule])
  })
}

test('imports along the arrows pass', async (t) => {
  const files = {
    'agent/a.ts': "import '../protocol/b.ts'\nimport '../platform/c.ts'",
    'protocol/b.ts': '',
    'platform/c.ts': "import '../protocol/b.ts'",
    'browser/d.ts': "import '../protocol/b.ts'",
    'receiver/web/pages/e.ts': "import '../../../browser/d.ts'",
  }
  t.deepEqual(brokenRules(await cruise(files)), [])
})
