import FuzzDriver
import FuzzLaws

FuzzDriver.run(.packets)
