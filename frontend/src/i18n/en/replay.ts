// Replay on the floor, and who will run late.
export default {
  replay: {
    title: 'Replay and preview',
    open: 'Replay',
    past: 'Replay (from bookings)',
    coming: 'Preview (as booked)',
    yesterday: 'Day before',
    tomorrow: 'Day after',
    time: 'Time of day',
    play: 'Play',
    pause: 'Pause',
    live: 'Back to live',
  },
  overrun: {
    title: 'Shows that may run late',
    late: 'should have ended at {time}, {age} over',
    soon: 'ends at {time}, {age} left, still on air',
    next: '· next at {time}',
    extend: '30 min more',
    move: 'Move the next',
  },
}
