// 平面上的时间回放与超时预判。
export default {
  replay: {
    title: '时间回放与预览',
    open: '回放与预览',
    past: '回放(按预订记录)',
    coming: '预览(按已订)',
    yesterday: '前一天',
    tomorrow: '后一天',
    time: '时刻',
    play: '播放',
    pause: '暂停',
    live: '回到实时',
  },
  overrun: {
    title: '可能超时的场次',
    late: '应于 {time} 结束,已超 {age}',
    soon: '{time} 结束,还剩 {age},仍在直播',
    next: '· 下一场 {time}',
    extend: '延长 30 分',
    move: '调整下一场',
  },
}
