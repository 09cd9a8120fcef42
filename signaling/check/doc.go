// Package check tries somebody's way to the media before the act: camera,
// microphone and loudspeaker, which the browser tells of; UDP, TCP and the relay
// over TLS on the port of HTTPS, by connections of their own that carry nothing;
// the rate both ways. It keeps the last results of each person for who is asked
// for help (product rows 4 and 5, journey 4.1 step 2).
//
// Invariants: a connection of a check is alone in a room that no act has, lives
// 20 s, and no media is ever forwarded to or from it, so that it needs no consent
// and no admission; a result holds words of closed lists and numbers.
package check
