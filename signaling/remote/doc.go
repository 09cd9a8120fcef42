// Package remote carries the questions that signaling asks of media to another
// process: a Node answers them there with the carrier it stands before, a Pool
// asks them here and knows which node holds which room (docs/control.md).
//
// A run is the life of one media process. Within a run nothing is lost or
// doubled when the connection is: orders that were not answered are said again in
// their order and do no harm twice; events are numbered and kept for a while;
// seconds of video, which are evidence, are asked to be written and said again
// until they are, under a number that is written with them. After whatever was
// missed the node says what it holds, and signaling compares.
//
// A node never stops media because nobody speaks to it, but for a room whose
// application has not been heard of for Keep. A Pool never calls a room lost
// before it stands somewhere else or its node has begun another run.
package remote
