// Editors write what the formatter wants.
import { readFileSync } from 'node:fs'
import test from 'ava'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('.editorconfig says what biome.json says', (t) => {
  const { formatter } = JSON.parse(read('biome.json'))
  const [, everywhere = ''] = read('.editorconfig').split(/^\[.*\]$/m)
  const settings = Object.fromEntries(
    [...everywhere.matchAll(/^(\w+) = (.+)$/gm)].map(([, name, value]) => [name, value]),
  )
  t.like(settings, {
    indent_style: formatter.indentStyle,
    indent_size: `${formatter.indentWidth ?? 2}`,
    max_line_length: `${formatter.lineWidth}`,
    end_of_line: formatter.lineEnding ?? 'lf',
  })
})
