// English, loaded when asked for; the type makes sure that nothing is missing.
import alarms from './en/alarms'
import billing from './en/billing'
import booking from './en/booking'
import detail from './en/detail'
import devices from './en/devices'
import floor from './en/floor'
import money from './en/money'
import ops from './en/ops'
import replay from './en/replay'
import report from './en/report'
import shell from './en/shell'
import wall from './en/wall'
import type zh from './zh'

const en: typeof zh = {
  ...shell,
  ...floor,
  ...booking,
  ...billing,
  ...devices,
  ...detail,
  ...replay,
  ...report,
  ...alarms,
  ...money,
  ...ops,
  ...wall,
}
export default en
