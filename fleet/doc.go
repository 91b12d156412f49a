// Package fleet carries the configuration to any number of members through a NATS JetStream key-value bucket.
package fleet
