// 中文:先写的语言,不是翻译。
import alarms from './zh/alarms'
import billing from './zh/billing'
import booking from './zh/booking'
import detail from './zh/detail'
import devices from './zh/devices'
import floor from './zh/floor'
import money from './zh/money'
import ops from './zh/ops'
import replay from './zh/replay'
import report from './zh/report'
import shell from './zh/shell'
import wall from './zh/wall'

export default {
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
