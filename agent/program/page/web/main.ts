// Loaded by the agent's page.
import { byId } from '../../../../platform/web/pages/dom.ts'
import { runPage } from './app.ts'

runPage(byId('a-main'))
