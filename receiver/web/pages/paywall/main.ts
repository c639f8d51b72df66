// Loaded by the paywall page.
import { byId, show } from '../../../../platform/web/pages/dom.ts'
import { startApp } from './app.ts'
import { parseFacts } from './facts.ts'

const root = byId('uraiden')
show(byId('uraiden-without'), false)
startApp(byId('uraiden-app'), parseFacts(root.dataset.facts ?? ''))
performance.mark('uraiden-ready')
