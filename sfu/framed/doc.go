// Package framed carries datagrams over TCP (RFC 4571, as ICE-TCP does, RFC
// 6544): each behind its length in two bytes. A slow connection loses datagrams,
// as a slow network does, and never makes its sender wait.
package framed
