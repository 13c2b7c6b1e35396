"""A tower that is shared by two inputs, made with `add`."""

from tensorflow.keras import backend as K
from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input, Lambda, MaxPooling2D
from tensorflow.keras.models import Model, Sequential


def siamese_net(input_shape=(20, 20, 1)):
    left, right = Input(input_shape), Input(input_shape)

    tower = Sequential()
    tower.add(Conv2D(8, (5, 5), activation="relu"))
    tower.add(MaxPooling2D())
    tower.add(Flatten())
    tower.add(Dense(32, activation="sigmoid"))

    distance = Lambda(lambda pair: K.abs(pair[0] - pair[1]))([tower(left), tower(right)])
    prediction = Dense(1, activation="sigmoid")(distance)
    return Model(inputs=[left, right], outputs=prediction)
