// Package trigger decides when automations fire. It is pure: events and the
// time go in, and what is to be stored and done comes out. A Machine holds what
// the triggers of one workspace have seen so far; whoever feeds it stores each
// step's Changes together with his position among the events, so that a machine
// made again from what is stored goes on where the former one stopped.
package trigger
