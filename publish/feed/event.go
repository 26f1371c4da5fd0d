package feed

import (
	"encoding/json"
	"time"

	"tongxin/publish"
)

// Types of events that webhooks are told.
const (
	EventPublished = "post.published"
	EventRetracted = "post.retracted"
	EventPing      = "ping"
)

// payload is the body of a webhook, in the form of the Standard Webhooks
// specification (https://www.standardwebhooks.com): type, timestamp, data.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	AccountID   string      `json:"accountId"`
	AccountName string      `json:"accountName"`
	MessageID   string      `json:"messageId,omitempty"`
	Items       []eventItem `json:"items,omitempty"`
}

type eventItem struct {
	ID          string    `json:"id"`
	URL         string    `json:"url"`
	Title       string    `json:"title"`
	Author      string    `json:"author,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Image       string    `json:"image,omitempty"`
	PublishedAt time.Time `json:"publishedAt"`
}

func (s *Service) event(kind string, a publish.Account, m *Message) Event {
	now := s.Clock.Now()
	data := eventData{AccountID: a.ID.String(), AccountName: a.Name}
	if m != nil {
		data.MessageID = m.ID.String()
		for _, it := range m.Items {
			data.Items = append(data.Items, s.eventItem(it))
		}
	}
	body, err := json.Marshal(payload{Type: kind, Timestamp: now, Data: data})
	if err != nil { // strings and times of this century always marshal
		panic("feed: event does not marshal: " + err.Error())
	}
	return Event{Type: kind, Body: string(body), At: now}
}

func (s *Service) eventItem(it Item) eventItem {
	out := eventItem{
		ID: it.ID.String(), URL: s.itemURL(it.AccountID, it.ID), Title: it.Title,
		Author: it.Author, Summary: it.Digest, PublishedAt: it.PublishedAt,
	}
	if it.Cover != "" {
		out.Image = s.pictureBase(it.AccountID) + it.Cover
	}
	return out
}
